/** Numbers of copies in a consignment: the batch's seq and the object's index in it, as one integer. */

/** More than the objects of any batch (1–10,000). */
const STRIDE = 16_384;

/** The number of the copy of object `index` of batch `seq`. */
export function copyNumber(seq: number, index: number): number {
  return seq * STRIDE + index;
}

/** The batch and the index that {@link copyNumber} was given. */
export function placeOfCopy(number: number): { readonly seq: number; readonly index: number } {
  return { seq: Math.floor(number / STRIDE), index: number % STRIDE };
}
