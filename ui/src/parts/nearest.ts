/** The index of the bucket whose middle, where its mark stands, is nearest to an instant; buckets ascend. */
export function nearestBucket(buckets: readonly { at: number }[], step: number, instant: number): number {
  return nearest(buckets, ({ at }) => at + step / 2, instant);
}

/** The index of the element whose key is nearest to `wanted`; keys ascend. -1 without elements. */
export function nearest<T>(elements: readonly T[], key: (element: T) => number, wanted: number): number {
  let low = 0;
  let high = elements.length - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (key(elements[middle]!) < wanted) low = middle + 1;
    else high = middle;
  }
  if (low > 0 && wanted - key(elements[low - 1]!) <= key(elements[low]!) - wanted) return low - 1;
  return high < 0 ? -1 : low;
}
