import fc, { type Arbitrary } from 'fast-check'

/** Fixed, so that a failure is one tomorrow, too; another is asked for by `CARCOSA_TEST_SEED`. */
export const seed = Number(process.env.CARCOSA_TEST_SEED ?? 20_261_126)

/** Text that something may stumble over. */
export const nasty = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 60 }),
  fc.constantFrom('', '\0', '%', "' OR 1=1 --", '../../x', '{}', '-1', '1e400'),
  fc.constantFrom(
    '𝕏',
    '__proto__',
    'a\u202eb',
    'e\u0301',
    '\ufeff',
    '�',
    'ﬀ',
    '%00',
    '%ff',
  ),
)

/** Values that HTTP lets through: visible ASCII and what is above it, in Latin-1. */
const headerValue = fc.oneof(
  fc
    .array(fc.constantFrom(...' !"%&\'()*,/:;<=>@[]^{|}~azAZ09\u00e9\u00ff'), {
      maxLength: 40,
    })
    .map((all) => all.join('').trim()),
  fc.constantFrom('*', 'W/"a"', '"', '""', '" OR 1=1', 'x'.repeat(300), '9'.repeat(40)),
)

/** Headers of these names, or some of them. */
export function nastyHeaders(
  names: readonly string[],
): Arbitrary<Record<string, string>> {
  const each = names.map((name) => [name, headerValue] as const)
  return fc
    .record(Object.fromEntries(each), { requiredKeys: [] })
    .map((given) => given as Record<string, string>)
}

/** Credentials that are none. */
export const nastyCredential = fc.oneof(
  headerValue.map((value) => `Bearer ${value}`),
  headerValue,
  fc.constantFrom(
    ...[
      'Bearer ',
      'Bearer ck_live_',
      `Bearer ck_live_${'a'.repeat(60)}`,
      'Bearer cs_a.b.c',
    ],
    ...['Bearer eyJhbGciOiJub25lIn0.e30.', `Bearer ${'a.'.repeat(500)}`, 'Basic Og=='],
  ),
)
