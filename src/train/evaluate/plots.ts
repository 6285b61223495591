import type { Metrics } from '../../contract/model-card.js';
import type { CurvePoint } from './curves.js';

const SIZE = 320;
const PAD = 44;

function frame(title: string, xLabel: string, yLabel: string, body: string): string {
  const inner = SIZE - 2 * PAD;
  const ticks = [0, 0.5, 1]
    .map((t) => {
      const x = PAD + t * inner;
      const y = SIZE - PAD - t * inner;
      return `<text x="${x}" y="${SIZE - PAD + 16}" text-anchor="middle">${t}</text><text x="${PAD - 6}" y="${y + 4}" text-anchor="end">${t}</text>`;
    })
    .join('');
  return (
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${SIZE} ${SIZE}" font-family="sans-serif" font-size="11">` +
    `<rect width="100%" height="100%" fill="#fff"/><text x="${SIZE / 2}" y="20" text-anchor="middle" font-size="13">${escapeXml(title)}</text>` +
    `<rect x="${PAD}" y="${PAD}" width="${inner}" height="${inner}" fill="none" stroke="#888"/>${ticks}` +
    `<text x="${SIZE / 2}" y="${SIZE - 8}" text-anchor="middle">${escapeXml(xLabel)}</text>` +
    `<text x="14" y="${SIZE / 2}" text-anchor="middle" transform="rotate(-90 14 ${SIZE / 2})">${escapeXml(yLabel)}</text>${body}</svg>\n`
  );
}

function polyline(points: readonly (readonly [number, number])[]): string {
  const inner = SIZE - 2 * PAD;
  const text = points.map(([x, y]) => `${(PAD + x * inner).toFixed(1)},${(SIZE - PAD - y * inner).toFixed(1)}`);
  return `<polyline fill="none" stroke="#1f6feb" stroke-width="2" points="${text.join(' ')}"/>`;
}

/** At most 400 points; the shape of a curve needs no more. */
function thin<T>(points: readonly T[]): T[] {
  const step = Math.max(1, Math.ceil(points.length / 400));
  return points.filter((_, i) => i % step === 0 || i === points.length - 1);
}

export function rocPlot(points: readonly CurvePoint[], auc: number): string {
  const line = thin(points).map((p) => [p.falsePositiveRate, p.recall] as const);
  return frame(`ROC, area ${auc.toFixed(4)}`, 'false alarms / benign', 'recall', polyline([[0, 0], ...line]));
}

export function prPlot(points: readonly CurvePoint[], auc: number): string {
  const line = thin(points).map((p) => [p.recall, p.precision] as const);
  return frame(`Precision-recall, area ${auc.toFixed(4)}`, 'recall', 'precision', polyline(line));
}

export function calibrationPlot(
  bins: readonly { rows: number; confidence: number; attacks: number }[],
  ece: number,
): string {
  const line = bins.filter((b) => b.rows > 0).map((b) => [b.confidence / b.rows, b.attacks / b.rows] as const);
  const diagonal = `<line x1="${PAD}" y1="${SIZE - PAD}" x2="${SIZE - PAD}" y2="${PAD}" stroke="#bbb"/>`;
  return frame(`Calibration, error ${ece.toFixed(4)}`, 'confidence', 'share of attacks', diagonal + polyline(line));
}

/** Rows are true classes, columns predicted; shade is the share of the row. */
export function confusionPlot({ labels, counts }: Metrics['confusion']): string {
  const cell = 56;
  const left = 120;
  const cells = counts.flatMap((row, r) => {
    const total = row.reduce((a, b) => a + b, 0);
    return row.map((n, c) => {
      const share = total > 0 ? n / total : 0;
      return (
        `<rect x="${left + c * cell}" y="${left + r * cell}" width="${cell}" height="${cell}" fill="#1f6feb" fill-opacity="${share.toFixed(3)}" stroke="#ccc"/>` +
        `<text x="${left + (c + 0.5) * cell}" y="${left + (r + 0.5) * cell + 4}" text-anchor="middle" fill="${share > 0.6 ? '#fff' : '#000'}">${n}</text>`
      );
    });
  });
  const names = labels.map((label, i) => {
    const at = left + (i + 0.5) * cell;
    return (
      `<text x="${left - 6}" y="${at + 4}" text-anchor="end">${escapeXml(label)}</text>` +
      `<text x="${at}" y="${left - 6}" text-anchor="start" transform="rotate(-45 ${at} ${left - 6})">${escapeXml(label)}</text>`
    );
  });
  const side = left + labels.length * cell + 30;
  return (
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${side} ${side}" font-family="sans-serif" font-size="11">` +
    `<rect width="100%" height="100%" fill="#fff"/>${cells.join('')}${names.join('')}</svg>\n`
  );
}

function escapeXml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}
