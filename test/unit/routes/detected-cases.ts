import type { RouteConfig } from '../../../src/routes/rules.ts'

/** One file that arrived on a route with these types. */
export interface Case {
  types: RouteConfig
  declared: string | null
  name?: string
  /** What the detector says. */
  bytes: string | null
  /** What it is served as; absent if it is refused. */
  as?: string
}
const docx = 'application/vnd.openxmlformats-officedocument.wordprocessingml.document'
const xlsx = 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet'
export const unknown = 'application/octet-stream'

export const agreeing: Case[] = [
  { types: ['image'], declared: 'image/png', bytes: 'image/png', as: 'image/png' },
  { types: ['image'], declared: 'image/jpg', bytes: 'image/jpeg', as: 'image/jpeg' },
  {
    types: ['image'],
    declared: 'image/vnd.microsoft.icon',
    bytes: 'image/x-icon',
    as: 'image/x-icon',
  },
  { types: ['image'], declared: '', name: 'a.png', bytes: 'image/png', as: 'image/png' },
  {
    types: ['image'],
    declared: null,
    name: 'a.gif',
    bytes: 'image/gif',
    as: 'image/gif',
  },
  {
    types: ['image'],
    declared: unknown,
    name: 'a.png',
    bytes: 'image/png',
    as: 'image/png',
  },
  { types: ['audio'], declared: 'audio/x-wav', bytes: 'audio/wav', as: 'audio/wav' },
  { types: ['audio'], declared: 'audio/vnd.wave', bytes: 'audio/wav', as: 'audio/wav' },
  { types: ['audio'], declared: 'audio/x-voc', bytes: 'audio/voc', as: 'audio/x-voc' },
  {
    types: ['pdf'],
    declared: 'application/x-pdf',
    bytes: 'application/pdf',
    as: 'application/pdf',
  },
  {
    types: ['text'],
    declared: 'text/plain; charset=utf-8',
    bytes: null,
    as: 'text/plain',
  },
  { types: ['text'], declared: 'text/csv', bytes: null, as: 'text/csv' },
  { types: ['text/html'], declared: 'TEXT/HTML', bytes: null, as: 'text/html' },
  {
    types: ['application/json'],
    declared: 'application/json',
    bytes: null,
    as: 'application/json',
  },
  { types: ['image'], declared: 'image/svg+xml', bytes: null, as: 'image/svg+xml' },
  {
    types: ['image'],
    declared: 'image/svg+xml',
    bytes: 'application/xml',
    as: 'image/svg+xml',
  },
  { types: ['audio'], declared: 'audio/mpeg', bytes: null, as: 'audio/mpeg' },
]
export const container: Case[] = [
  { types: [docx], declared: docx, bytes: docx, as: docx },
  { types: [docx], declared: docx, bytes: 'application/zip', as: docx },
  { types: [docx], declared: docx, bytes: 'application/x-cfb', as: docx },
  {
    types: ['application/epub+zip'],
    declared: 'application/epub+zip',
    bytes: 'application/zip',
    as: 'application/epub+zip',
  },
  {
    types: ['application/java-archive'],
    declared: 'application/java-archive',
    bytes: 'application/zip',
    as: 'application/java-archive',
  },
  {
    types: ['application/vnd.android.package-archive'],
    declared: 'application/vnd.android.package-archive',
    bytes: 'application/zip',
    as: 'application/vnd.android.package-archive',
  },
  {
    types: ['application/zip'],
    declared: 'application/x-zip-compressed',
    bytes: docx,
    as: 'application/zip',
  },
  {
    types: ['application/zip', docx],
    declared: 'application/zip',
    bytes: docx,
    as: docx,
  },
  {
    types: ['application/zip', 'blob'],
    declared: 'application/zip',
    bytes: docx,
    as: 'application/zip',
  },
  {
    types: ['application/msword'],
    declared: 'application/msword',
    bytes: 'application/x-cfb',
    as: 'application/msword',
  },
  {
    types: ['application/msword'],
    declared: 'application/msword',
    bytes: 'application/rtf',
    as: 'application/msword',
  },
  {
    types: ['application/vnd.ms-excel'],
    declared: 'application/vnd.ms-excel',
    bytes: null,
    as: 'application/vnd.ms-excel',
  },
  { types: ['audio'], declared: 'audio/ogg', bytes: 'application/ogg', as: 'audio/ogg' },
  {
    types: ['audio'],
    declared: 'audio/opus',
    bytes: 'audio/ogg; codecs=opus',
    as: 'audio/ogg',
  },
  {
    types: ['audio/opus'],
    declared: 'audio/opus',
    bytes: 'audio/ogg; codecs=opus',
    as: 'audio/opus',
  },
  { types: ['video'], declared: 'video/ogg', bytes: 'video/ogg', as: 'video/ogg' },
  { types: ['audio'], declared: 'audio/mp4', bytes: 'video/mp4', as: 'audio/mp4' },
  { types: ['audio'], declared: 'audio/x-m4a', bytes: 'audio/x-m4a', as: 'audio/mp4' },
  {
    types: ['audio', 'video'],
    declared: 'audio/mp4',
    bytes: 'video/mp4',
    as: 'audio/mp4',
  },
  { types: ['video'], declared: 'video/mp4', bytes: 'video/x-m4v', as: 'video/x-m4v' },
  {
    types: ['video/mp4'],
    declared: 'video/mp4',
    bytes: 'video/quicktime',
    as: 'video/mp4',
  },
  { types: ['video'], declared: 'video/quicktime', bytes: 'video/mp4', as: 'video/mp4' },
  { types: ['video'], declared: 'video/3gpp', bytes: 'video/mp4', as: 'video/mp4' },
  { types: ['image'], declared: 'image/heic', bytes: 'image/heif', as: 'image/heif' },
  {
    types: ['image/heic'],
    declared: 'image/heic',
    bytes: 'image/heif',
    as: 'image/heic',
  },
  { types: ['image'], declared: 'image/heic', bytes: 'video/mp4', as: 'image/heic' },
  {
    types: ['video'],
    declared: 'video/x-matroska',
    bytes: 'video/webm',
    as: 'video/webm',
  },
  {
    types: ['video/webm'],
    declared: 'video/webm',
    bytes: 'video/matroska',
    as: 'video/webm',
  },
  { types: ['audio'], declared: 'audio/webm', bytes: 'video/webm', as: 'audio/webm' },
  {
    types: ['video'],
    declared: 'video/x-msvideo',
    bytes: 'video/vnd.avi',
    as: 'video/x-msvideo',
  },
  {
    types: ['video'],
    declared: 'video/x-ms-wmv',
    bytes: 'video/x-ms-asf',
    as: 'video/x-ms-wmv',
  },
  { types: ['audio'], declared: 'audio/flac', bytes: 'audio/mpeg', as: 'audio/flac' },
  { types: ['image'], declared: 'image/png', bytes: 'image/apng', as: 'image/apng' },
  { types: ['image/png'], declared: 'image/png', bytes: 'image/apng', as: 'image/png' },
  {
    types: ['image'],
    declared: 'image/x-adobe-dng',
    bytes: 'image/tiff',
    as: 'image/x-adobe-dng',
  },
  {
    types: ['application/xml'],
    declared: 'application/xml',
    bytes: 'application/xml',
    as: 'application/xml',
  },
  { types: ['text'], declared: 'text/xml', bytes: 'application/xml', as: 'text/xml' },
  {
    types: ['text/html'],
    declared: 'text/html',
    bytes: 'application/xml',
    as: 'text/html',
  },
  { types: ['text'], declared: 'text/rtf', bytes: 'application/rtf', as: 'text/rtf' },
  {
    types: ['text/plain'],
    declared: 'text/plain',
    bytes: 'text/vcard',
    as: 'text/plain',
  },
  { types: ['text'], declared: 'text/plain', bytes: 'image/bmp', as: 'text/plain' },
  {
    types: ['text'],
    declared: 'text/markdown',
    bytes: 'audio/aiff',
    as: 'text/markdown',
  },
  {
    types: ['application/postscript'],
    declared: 'application/postscript',
    bytes: 'application/pdf',
    as: 'application/postscript',
  },
  { types: ['font/ttf'], declared: 'font/ttf', bytes: 'font/otf', as: 'font/ttf' },
  { types: ['audio'], declared: 'audio/mp4', bytes: 'video/quicktime', as: 'audio/mp4' },
  { types: ['video'], declared: 'video/mp4', bytes: 'audio/x-m4a', as: 'video/mp4' },
  { types: ['audio/3gpp'], declared: 'audio/3gpp', bytes: 'audio/mp4', as: 'audio/3gpp' },
  {
    types: ['video'],
    declared: 'video/x-ms-asf',
    bytes: 'audio/x-ms-asf',
    as: 'video/x-ms-asf',
  },
  {
    types: ['image/tiff'],
    declared: 'image/tiff',
    bytes: 'image/x-adobe-dng',
    as: 'image/tiff',
  },
  { types: ['image/apng'], declared: 'image/apng', bytes: 'image/png', as: 'image/apng' },
  { types: ['image/jp2'], declared: 'image/jp2', bytes: 'image/jpx', as: 'image/jp2' },
]
export const lies: Case[] = [
  // HTML and SVG have no magic bytes, so nothing is recognised; neither is a cut or empty file.
  { types: ['image'], declared: 'image/png', name: 'x.png', bytes: null },
  { types: ['image'], declared: 'image/png', name: 'x.png', bytes: 'application/xml' },
  {
    types: ['image'],
    declared: 'image/png',
    name: 'x.png',
    bytes: 'application/x-msdownload',
  },
  { types: ['image'], declared: null, name: 'x.png', bytes: null },
  { types: ['image'], declared: 'image/svg+xml', bytes: 'application/gzip' },
  { types: ['image'], declared: 'image/svg+xml', bytes: 'application/x-msdownload' },
  { types: ['image'], declared: 'image/jpeg', bytes: 'application/pdf' },
  { types: ['image'], declared: 'image/png', bytes: 'video/mp4' },
  { types: ['image/png'], declared: 'image/png', bytes: 'image/gif' },
  { types: ['pdf'], declared: 'application/pdf', bytes: null },
  { types: ['pdf'], declared: 'application/pdf', bytes: 'application/postscript' },
  { types: ['video'], declared: 'video/mp4', bytes: 'image/heic' },
  { types: ['video'], declared: 'video/mp4', bytes: null },
  { types: ['text'], declared: 'text/plain', bytes: 'application/x-msdownload' },
  { types: ['text'], declared: 'text/plain', bytes: 'application/pdf' },
  { types: [docx], declared: docx, bytes: xlsx },
  { types: [docx], declared: docx, bytes: 'application/vnd.android.package-archive' },
  { types: [docx], declared: docx, bytes: null },
  { types: ['application/zip'], declared: 'application/zip', bytes: null },
  { types: ['application/json'], declared: 'application/json', bytes: 'application/zip' },
]
export const corrected: Case[] = [
  { types: ['image'], declared: 'image/png', bytes: 'image/gif', as: 'image/gif' },
  {
    types: ['image', 'pdf'],
    declared: 'image/png',
    bytes: 'application/pdf',
    as: 'application/pdf',
  },
  {
    types: ['image', 'text'],
    declared: 'text/plain',
    bytes: 'image/png',
    as: 'image/png',
  },
  {
    types: ['image', 'blob'],
    declared: 'image/png',
    bytes: 'application/zip',
    as: 'application/zip',
  },
  { types: ['image', 'blob'], declared: 'image/png', bytes: null, as: unknown },
]
export const anything: Case[] = [
  { types: ['blob'], declared: 'image/png', bytes: 'image/png', as: 'image/png' },
  {
    types: ['blob'],
    declared: 'image/png',
    bytes: 'application/zip',
    as: 'application/zip',
  },
  { types: ['blob'], declared: 'image/png', bytes: null, as: unknown },
  { types: ['blob'], declared: null, bytes: null, as: unknown },
  { types: ['blob'], declared: null, bytes: 'image/gif', as: 'image/gif' },
  { types: ['blob'], declared: 'text/html', bytes: null, as: 'text/html' },
  { types: ['blob'], declared: docx, bytes: 'application/zip', as: docx },
  { types: ['blob'], declared: 'nonsense', name: 'x', bytes: null, as: unknown },
  {
    types: [unknown],
    declared: unknown,
    name: 'x.png',
    bytes: 'application/zip',
    as: 'application/zip',
  },
]
