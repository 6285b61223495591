;; The inner loops of tree growing. Built by `npx tsx scripts/models-kernel.ts` into kernel-bytes.ts.
(module
  (import "env" "memory" (memory 1))

  ;; Adds each row's gradient pair (f64x2) to the histogram cell of its code, for every feature.
  ;; $stride: codes a row, a multiple of 4. A feature has 260 cells of 16 bytes: 256 for codes and a cache line more,
  ;; because cells at multiples of 4096 would fight for the same lines (six times slower).
  (func (export "histogram")
    (param $codes i32) (param $stride i32) (param $rows i32) (param $n i32) (param $pairs i32) (param $hist i32)
    (local $end i32) (local $code i32) (local $codeEnd i32) (local $row i32) (local $cell i32) (local $at i32)
    (local $pair v128)
    (local.set $end (i32.add (local.get $rows) (i32.shl (local.get $n) (i32.const 2))))
    (block $done
      (loop $next
        (br_if $done (i32.ge_u (local.get $rows) (local.get $end)))
        (local.set $row (i32.load (local.get $rows)))
        (local.set $rows (i32.add (local.get $rows) (i32.const 4)))
        (local.set $pair (v128.load (i32.add (local.get $pairs) (i32.shl (local.get $row) (i32.const 4)))))
        (local.set $code (i32.add (local.get $codes) (i32.mul (local.get $row) (local.get $stride))))
        (local.set $codeEnd (i32.add (local.get $code) (local.get $stride)))
        (local.set $cell (local.get $hist))
        (loop $feature
          (local.set $at (i32.add (local.get $cell) (i32.shl (i32.load8_u (local.get $code)) (i32.const 4))))
          (v128.store (local.get $at) (f64x2.add (v128.load (local.get $at)) (local.get $pair)))
          (local.set $at (i32.add (local.get $cell) (i32.shl (i32.load8_u offset=1 (local.get $code)) (i32.const 4))))
          (v128.store offset=4160 (local.get $at) (f64x2.add (v128.load offset=4160 (local.get $at)) (local.get $pair)))
          (local.set $at (i32.add (local.get $cell) (i32.shl (i32.load8_u offset=2 (local.get $code)) (i32.const 4))))
          (v128.store offset=8320 (local.get $at) (f64x2.add (v128.load offset=8320 (local.get $at)) (local.get $pair)))
          (local.set $at (i32.add (local.get $cell) (i32.shl (i32.load8_u offset=3 (local.get $code)) (i32.const 4))))
          (v128.store offset=12480 (local.get $at) (f64x2.add (v128.load offset=12480 (local.get $at)) (local.get $pair)))
          (local.set $cell (i32.add (local.get $cell) (i32.const 16640)))
          (local.set $code (i32.add (local.get $code) (i32.const 4)))
          (br_if $feature (i32.lt_u (local.get $code) (local.get $codeEnd))))
        (br $next))))

  ;; Stable split of $n row numbers: those whose code in $column is <= $bin or equals $leftCode come first.
  ;; Returns how many; $scratch has room for $n numbers.
  (func (export "partition")
    (param $rows i32) (param $n i32) (param $column i32) (param $bin i32) (param $leftCode i32) (param $scratch i32)
    (result i32)
    (local $read i32) (local $end i32) (local $left i32) (local $right i32) (local $row i32) (local $code i32) (local $go i32)
    (local.set $read (local.get $rows))
    (local.set $left (local.get $rows))
    (local.set $right (local.get $scratch))
    (local.set $end (i32.add (local.get $rows) (i32.shl (local.get $n) (i32.const 2))))
    (block $done
      (loop $next
        (br_if $done (i32.ge_u (local.get $read) (local.get $end)))
        (local.set $row (i32.load (local.get $read)))
        (local.set $read (i32.add (local.get $read) (i32.const 4)))
        (local.set $code (i32.load8_u (i32.add (local.get $column) (local.get $row))))
        (local.set $go
          (i32.or (i32.le_u (local.get $code) (local.get $bin)) (i32.eq (local.get $code) (local.get $leftCode))))
        (i32.store (local.get $left) (local.get $row))
        (i32.store (local.get $right) (local.get $row))
        (local.set $left (i32.add (local.get $left) (i32.shl (local.get $go) (i32.const 2))))
        (local.set $right (i32.add (local.get $right) (i32.shl (i32.xor (local.get $go) (i32.const 1)) (i32.const 2))))
        (br $next)))
    (memory.copy (local.get $left) (local.get $scratch) (i32.sub (local.get $right) (local.get $scratch)))
    (i32.shr_u (i32.sub (local.get $left) (local.get $rows)) (i32.const 2)))

  ;; hist -= other, over $bytes (a multiple of 16).
  (func (export "subtract") (param $hist i32) (param $other i32) (param $bytes i32)
    (local $end i32)
    (local.set $end (i32.add (local.get $hist) (local.get $bytes)))
    (loop $next
      (v128.store (local.get $hist) (f64x2.sub (v128.load (local.get $hist)) (v128.load (local.get $other))))
      (local.set $hist (i32.add (local.get $hist) (i32.const 16)))
      (local.set $other (i32.add (local.get $other) (i32.const 16)))
      (br_if $next (i32.lt_u (local.get $hist) (local.get $end)))))

  ;; scores[row] += value for each of $n row numbers.
  (func (export "addToRows") (param $rows i32) (param $n i32) (param $scores i32) (param $value f64)
    (local $end i32) (local $at i32)
    (local.set $end (i32.add (local.get $rows) (i32.shl (local.get $n) (i32.const 2))))
    (block $done
      (loop $next
        (br_if $done (i32.ge_u (local.get $rows) (local.get $end)))
        (local.set $at (i32.add (local.get $scores) (i32.shl (i32.load (local.get $rows)) (i32.const 3))))
        (f64.store (local.get $at) (f64.add (f64.load (local.get $at)) (local.get $value)))
        (local.set $rows (i32.add (local.get $rows) (i32.const 4)))
        (br $next))))
)
