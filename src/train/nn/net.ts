/** What a network is built from; a network is one function over this, for training, export and checking alike. */
export interface Net<V> {
  /** x W + b. */
  dense(x: V, outputs: number): V;
  relu(x: V): V;
  /** 3 x 3 convolution with padding 1. */
  conv(x: V, channels: number, stride: 1 | 2): V;
  add(a: V, b: V): V;
  /** Side by side; all flat. */
  concat(parts: readonly V[]): V;
  flatten(x: V): V;
  /** Mean of each channel. */
  channelMeans(x: V): V;
  /** A flat vector as a square one-channel image, padded with zeros. */
  image(x: V): V;
}

/** Size of one row: [n] flat, or [channels, height, width]. */
export type Shape = readonly number[];

export function sizeOf(shape: Shape): number {
  return shape.reduce((a, b) => a * b, 1);
}

export function imageSide(width: number): number {
  return Math.ceil(Math.sqrt(width));
}

/** Height or width after a padded 3 x 3 convolution. */
export function convSide(side: number, stride: 1 | 2): number {
  return Math.floor((side - 1) / stride) + 1;
}

/** Trained numbers, in the order in which the network asks for them. */
export interface Parameter {
  shape: number[];
  values: Float32Array;
}

/** Narrow in the middle, so that it must learn what belongs together. */
export function autoencoderNet<V>(net: Net<V>, x: V, width: number): V {
  const a = net.relu(net.dense(x, 64));
  const b = net.relu(net.dense(a, 32));
  const code = net.relu(net.dense(b, 8));
  const c = net.relu(net.dense(code, 32));
  const d = net.relu(net.dense(c, 64));
  return net.dense(d, width);
}

/**
 * Deep concatenated CNN: features as an image, two blocks of convolutions with skip connections, and what three levels
 * found (input, first block, second block) joined before the last layers.
 */
export function cnnNet<V>(net: Net<V>, x: V, classes: number): { logits: V; feature: V } {
  const block = (input: V, channels: number): V =>
    net.relu(net.add(net.conv(net.relu(net.conv(input, channels, 1)), channels, 1), input));
  const first = block(net.relu(net.conv(net.image(x), 16, 1)), 16);
  const second = block(net.relu(net.conv(first, 32, 2)), 32);
  const joined = net.concat([x, net.channelMeans(first), net.flatten(second)]);
  const feature = net.relu(net.dense(joined, CNN_FEATURES));
  return { logits: net.dense(feature, classes), feature };
}

export const CNN_FEATURES = 64;
