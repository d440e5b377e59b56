import { fileTypeFromBuffer } from 'file-type'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { checkDetected } from '../../../src/routes/check-detected.ts'
import { route } from '../../../src/routes/route.ts'
import { createRouter } from '../../../src/routes/router.ts'

const { image, media } = createRouter({
  image: route(['image']),
  media: route(['image', 'video', 'audio', 'pdf', 'application/zip']),
}).routes

async function judge(to: typeof image, type: string, bytes: Uint8Array) {
  const detected = await fileTypeFromBuffer(bytes)
  const file = { declaredType: type, name: null, size: bytes.length }
  return checkDetected(to, file, detected?.mime ?? null)
}

const text = (content: string) => Buffer.from(content.padEnd(200))
const bytes = (hex: string) => Buffer.concat([Buffer.from(hex, 'hex'), Buffer.alloc(64)])
const iso = (brand: string) =>
  bytes(`00000018${Buffer.from(`ftyp${brand}`).toString('hex')}`)

const png = bytes('89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c489')

const notImages: [string, Uint8Array][] = [
  ['HTML', text('<!doctype html><script>alert(1)</script>')],
  ['SVG', text('<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>')],
  ['SVG with an XML prolog', text('<?xml version="1.0"?><svg onload="alert(1)"/>')],
  ['PHP', text('<?php system($_GET["c"]);')],
  ['a shell script', text('#!/bin/sh\nrm -rf /')],
  ['a Windows program', bytes('4d5a90000300000004000000ffff0000')],
  ['a Linux program', bytes('7f454c46020101000000000000000000')],
  ['a zip archive', bytes('504b0506')],
  ['a PDF', text('%PDF-1.7\n')],
  ['nothing at all', new Uint8Array()],
  ['the first bytes of a PNG', png.subarray(0, 4)],
]
for (const [what, content] of notImages) {
  for (const type of [
    'image/png',
    'image/jpeg',
    'image/gif',
    'image/webp',
    'IMAGE/PNG',
  ]) {
    test(`${what} declared as ${type} is refused on a route for images`, async () => {
      assert.is((await judge(image, type, content)).error?.code, 'TYPE_NOT_ALLOWED')
    })
  }
}

const honest: [type: string, Uint8Array, as: string][] = [
  ['image/png', png, 'image/png'],
  ['image/jpg', bytes('ffd8ffe000104a464946'), 'image/jpeg'],
  ['image/gif', bytes('474946383961'), 'image/gif'],
  ['image/webp', bytes('52494646240000005745425056503820'), 'image/webp'],
  ['image/svg+xml', text('<?xml version="1.0"?><svg/>'), 'image/svg+xml'],
  ['image/heic', iso('heic'), 'image/heic'],
  ['image/heic', iso('heim'), 'image/heic'],
  ['image/avif', iso('avif'), 'image/avif'],
  ['video/mp4', iso('isom'), 'video/mp4'],
  ['video/quicktime', iso('qt  '), 'video/quicktime'],
  ['audio/x-m4a', iso('M4A '), 'audio/mp4'],
  ['audio/mp4', iso('mp42'), 'audio/mp4'],
  ['audio/wav', bytes('524946462400000057415645666d7420'), 'audio/wav'],
  ['audio/ogg', bytes('4f67675300020000000000000000'), 'audio/ogg'],
  ['audio/mpeg', bytes('49443303000000000000'), 'audio/mpeg'],
  ['application/pdf', text('%PDF-1.7\n'), 'application/pdf'],
  ['application/x-zip-compressed', bytes('504b0506'), 'application/zip'],
]
for (const [type, content, as] of honest) {
  test(`an honest ${type} is taken, and served as ${as}`, async () => {
    const { error, contentType } = await judge(media, type, content)
    assert.is(error, null)
    assert.is(contentType, as)
  })
}

test.run()
