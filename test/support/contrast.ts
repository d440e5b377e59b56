/**
 * Texts of the page whose contrast with what is behind them is below 4.5 (WCAG 2.2 AA). Runs
 * in the browser, so it can use nothing from outside of it.
 */
export function faintTexts(): string[] {
  const canvas = document.createElement('canvas').getContext('2d')
  const rgba = (color: string) => {
    if (!canvas) return [0, 0, 0, 0]
    canvas.clearRect(0, 0, 1, 1)
    canvas.fillStyle = color
    canvas.fillRect(0, 0, 1, 1)
    return [...canvas.getImageData(0, 0, 1, 1).data]
  }
  const luminance = (color: number[]) => {
    const [r = 0, g = 0, b = 0] = color.map((value) => {
      const part = value / 255
      return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4
    })
    return 0.2126 * r + 0.7152 * g + 0.0722 * b
  }
  const behind = (element: Element | null): number[] => {
    if (!element) return [255, 255, 255, 255]
    const color = rgba(getComputedStyle(element).backgroundColor)
    return color[3] === 255 ? color : behind(element.parentElement)
  }
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT)
  const faint: string[] = []
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement
    const text = walker.currentNode.textContent?.trim()
    if (!text || !element?.checkVisibility() || element.closest('noscript')) continue
    const colors = [
      luminance(rgba(getComputedStyle(element).color)),
      luminance(behind(element)),
    ]
    const contrast = (Math.max(...colors) + 0.05) / (Math.min(...colors) + 0.05)
    if (contrast < 4.5) faint.push(`${text}: ${contrast.toFixed(2)}`)
  }
  return faint
}
