const namespace = 'http://www.w3.org/2000/svg'

const paths = {
  pause: 'M6 3.5v9M10 3.5v9',
  resume: 'M5.5 3.5v9l7-4.5z',
  retry: 'M12.8 8A4.8 4.8 0 1 1 11 4.3M11.3 1.8v2.8H8.5',
  cancel: 'M4 4l8 8M12 4l-8 8',
} as const

export type IconName = keyof typeof paths

/** A line drawing of 16 by 16, in the colour of its text; for eyes only. */
export function icon(name: IconName): SVGSVGElement {
  const svg = document.createElementNS(namespace, 'svg')
  svg.setAttribute('viewBox', '0 0 16 16')
  svg.setAttribute('class', 'icon')
  svg.setAttribute('aria-hidden', 'true')
  const path = document.createElementNS(namespace, 'path')
  path.setAttribute('d', paths[name])
  svg.append(path)
  return svg
}
