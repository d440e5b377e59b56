/**
 * Whether a store can keep an object of this key: the same in every store, as files too. Letters,
 * digits and `!-_.*'()/`, at most 512 of them, and no segment that is empty or of dots.
 */
export function isKey(key: string): boolean {
  if (key.length > 512) return false
  return key.split('/').every((segment) => segmentPattern.test(segment))
}

const segmentPattern = /^(?!\.+$)[\w!.*'()-]+$/
