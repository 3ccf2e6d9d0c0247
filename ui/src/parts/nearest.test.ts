import { expect, test } from "vitest";
import { nearest, nearestBucket } from "./nearest.ts";

test("the nearest element is found between two, and at the ends", () => {
  const keys = [10, 20, 40];
  const at = (wanted: number): number => nearest(keys, (key) => key, wanted);
  expect([-5, 14, 16, 31, 90].map(at)).toEqual([0, 0, 1, 2, 2]);
  expect(nearest([], () => 0, 1)).toBe(-1);
});

test("an instant belongs to the bucket that holds it, in its right half too", () => {
  const buckets = [{ at: 0 }, { at: 100 }, { at: 200 }];
  const at = (instant: number): number => nearestBucket(buckets, 100, instant);
  expect([1, 49, 51, 99, 101, 199, 299].map(at)).toEqual([0, 0, 0, 0, 1, 1, 2]);
});
