/**
 * How the type that bytes were recognised as relates to the type a client declared:
 *
 * - `same`: two spellings of one type;
 * - `vaguer`: the detector only saw the container, or a few bytes any text may begin with,
 *   so the declared type says more;
 * - `kin`: both are honest names of such a file;
 * - `stranger`: the declaration is wrong.
 */
export type Kinship = 'same' | 'vaguer' | 'kin' | 'stranger'

interface Row {
  readonly kinship: 'vaguer' | 'kin'
  readonly detected: readonly string[]
  readonly declared: readonly string[] | ((type: string) => boolean)
}

const heif = [
  'image/heic',
  'image/heif',
  'image/heic-sequence',
  'image/heif-sequence',
  'image/avif',
]
const isoVideo = [
  'video/mp4',
  'video/x-m4v',
  'video/quicktime',
  'video/3gpp',
  'video/3gpp2',
]
const isoAudio = ['audio/mp4', 'audio/3gpp', 'audio/3gpp2', 'audio/quicktime']
const matroska = ['video/matroska', 'video/webm']
const ogg = ['audio/ogg', 'video/ogg', 'audio/opus', 'audio/x-speex', 'application/ogg']
const asf = ['application/vnd.ms-asf', 'video/x-ms-asf', 'audio/x-ms-asf']
const cfb = [
  'application/msword',
  'application/vnd.ms-excel',
  'application/vnd.ms-powerpoint',
  'application/vnd.ms-outlook',
  'application/vnd.ms-project',
  'application/vnd.visio',
  'application/x-msi',
]
const tiffBased = [
  'image/x-adobe-dng',
  'image/x-nikon-nef',
  'image/x-sony-arw',
  'image/x-canon-cr2',
]
const textFormats = [
  'application/xml',
  'application/rtf',
  'application/postscript',
  'application/eps',
  'text/calendar',
  'text/vcard',
  'text/vtt',
  'model/stl',
  'application/x-ms-regedit',
]
// Signatures of two to four letters: BMW, GIF is, FORM 10-K, MAC address, solid, ID3 …
const wordLikeMagic = [
  'image/bmp',
  'image/gif',
  'image/vnd.dwg',
  'audio/mpeg',
  'audio/aiff',
  'audio/ape',
  'audio/x-dsf',
  'audio/x-musepack',
  'application/x-shockwave-flash',
  'application/x-bzip2',
  'application/x-cpio',
]

// Read in order; the first row that holds both types decides.
const rows: readonly Row[] = [
  { kinship: 'vaguer', detected: ['application/zip'], declared: isZip },
  { kinship: 'vaguer', detected: ['application/x-cfb'], declared: cfb },
  // Office wraps a document with a password in a compound file, whatever it was.
  { kinship: 'vaguer', detected: ['application/x-cfb'], declared: isOfficeXml },
  {
    kinship: 'vaguer',
    detected: ['application/rtf', 'application/xml', 'application/zip'],
    declared: ['application/msword', 'application/vnd.ms-excel'],
  },
  { kinship: 'vaguer', detected: textFormats, declared: isTextual },
  { kinship: 'vaguer', detected: wordLikeMagic, declared: isTextual },
  { kinship: 'kin', detected: heif, declared: heif },
  // The detector calls every ISO file of a brand it does not know video/mp4.
  { kinship: 'vaguer', detected: ['video/mp4'], declared: heif },
  { kinship: 'kin', detected: isoAudio, declared: [...isoAudio, ...isoVideo] },
  { kinship: 'vaguer', detected: isoVideo, declared: isoAudio },
  { kinship: 'kin', detected: isoVideo, declared: [...isoVideo, 'application/mp4'] },
  { kinship: 'vaguer', detected: matroska, declared: ['audio/webm', 'audio/matroska'] },
  { kinship: 'kin', detected: matroska, declared: matroska },
  { kinship: 'kin', detected: ogg, declared: ogg },
  { kinship: 'vaguer', detected: asf, declared: ['video/x-ms-wmv', 'audio/x-ms-wma'] },
  { kinship: 'kin', detected: asf, declared: asf },
  { kinship: 'vaguer', detected: ['image/tiff'], declared: tiffBased },
  { kinship: 'kin', detected: tiffBased, declared: ['image/tiff', ...tiffBased] },
  { kinship: 'kin', detected: ['image/apng'], declared: ['image/png'] },
  { kinship: 'kin', detected: ['image/png'], declared: ['image/apng'] },
  {
    kinship: 'kin',
    detected: ['image/jp2', 'image/jpx', 'image/jpm', 'image/mj2', 'image/j2c'],
    declared: ['image/jp2', 'image/jpx', 'image/jpm', 'image/mj2', 'image/j2c'],
  },
  // An ID3 tag, sound without a frame in sight: the tag hides what follows it.
  {
    kinship: 'vaguer',
    detected: ['audio/mpeg'],
    declared: ['audio/flac', 'audio/aac', 'audio/ape', 'audio/wavpack'],
  },
  {
    kinship: 'kin',
    detected: ['font/ttf', 'font/otf', 'font/collection'],
    declared: ['font/ttf', 'font/otf', 'font/collection', 'font/sfnt'],
  },
  // Illustrator writes PDF under the type of PostScript.
  {
    kinship: 'vaguer',
    detected: ['application/pdf', 'application/eps', 'application/postscript'],
    declared: ['application/postscript', 'application/eps', 'application/illustrator'],
  },
]

/** Both types in the spelling of `normalizeType`. */
export function kinship(declared: string, detected: string): Kinship {
  if (withoutX(declared) === withoutX(detected)) return 'same'
  if (declared === 'application/zip' && isZip(detected)) return 'kin'
  const row = rows.find((row) => row.detected.includes(detected) && fits(row, declared))
  return row?.kinship ?? 'stranger'
}

function fits(row: Row, declared: string): boolean {
  return typeof row.declared === 'function'
    ? row.declared(declared)
    : row.declared.includes(declared)
}

/** `audio/x-wav` and `audio/wav` are one type (RFC 6648 ended the prefix). */
function withoutX(type: string): string {
  return type.replace('/x-', '/')
}

/** Whether files of this type are zip archives inside. */
export function isZip(type: string): boolean {
  return type.endsWith('+zip') || isOfficeXml(type) || zipBased.has(type)
}

function isOfficeXml(type: string): boolean {
  return (
    type.startsWith('application/vnd.openxmlformats-officedocument.') ||
    type.startsWith('application/vnd.oasis.opendocument.') ||
    /^application\/vnd\.ms-.+\.macroenabled\.12$/.test(type)
  )
}

const zipBased = new Set([
  'application/java-archive',
  'application/vnd.android.package-archive',
  'application/x-xpinstall',
  'application/x-ios-app',
  'application/vnd.google-earth.kmz',
  'application/vnd.visio',
  'application/vnd.apple.pages',
  'application/vnd.apple.numbers',
  'application/vnd.apple.keynote',
  'model/3mf',
  'image/3mf',
])

/** Types whose files are text, and so may begin with anything. */
function isTextual(type: string): boolean {
  return /^text\/|[+/](?:x-)?(?:json\d?|ndjson|xml|yaml|toml|sql|javascript|ecmascript|graphql|sh|subrip)$/.test(
    type,
  )
}
