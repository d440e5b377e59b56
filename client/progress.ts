/** How far along something is. */
export interface Progress {
  /** Bytes sent; may step back when a connection breaks and some have to be sent again. */
  readonly sent: number
  /** Bytes in all. */
  readonly size: number
  /** From 0 to 1; 1 for an empty file. */
  readonly fraction: number
  /** Bytes per second, smoothed over a few seconds; null until it is known. */
  readonly rate: number | null
  /** Seconds left at that rate; null until it is known. */
  readonly eta: number | null
}

export interface Meter {
  /** Takes note that `sent` of `size` bytes were sent by now. */
  update(sent: number, size: number): Progress
  /** Forgets the rate: what comes next is a new run. */
  reset(): void
}

/** Milliseconds after which a measurement has lost most of its weight. */
const memory = 3000
/** Milliseconds between two measurements; shorter ones are mostly noise. */
const interval = 200

/** Measures the rate of growing numbers as an exponentially weighted average. */
export function createMeter(now: () => number = () => performance.now()): Meter {
  let last: { at: number; sent: number } | null = null
  let rate: number | null = null

  function measure(sent: number) {
    const at = now()
    // A step back, or the first number of a run, is not a speed.
    if (!last || sent < last.sent) {
      last = { at, sent }
      return
    }
    const elapsed = at - last.at
    if (elapsed < interval) return
    const measured = ((sent - last.sent) / elapsed) * 1000
    const weight = 1 - Math.exp(-elapsed / memory)
    rate = rate === null ? measured : rate + weight * (measured - rate)
    last = { at, sent }
  }

  return {
    update(sent, size) {
      measure(sent)
      const eta = rate ? (size - sent) / rate : null
      return { sent, size, fraction: size > 0 ? sent / size : 1, rate, eta }
    },
    reset() {
      last = null
      rate = null
    },
  }
}
