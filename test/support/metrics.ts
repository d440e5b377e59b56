/** Reads the text that Prometheus reads: value by name and labels, as they are written. */
export type Samples = ReadonlyMap<string, number>

/** @example samples.get('carcosa_errors_total{status="404",code="NOT_FOUND"}') */
export function parseMetrics(text: string): Samples {
  const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'))
  return new Map(
    lines.map((line) => {
      const [, name = '', value] = /^(.*) (\S+)$/.exec(line) ?? []
      return [name, Number(value)]
    }),
  )
}

/** The names of all metrics with their kinds, as their `# TYPE` lines tell. */
export function metricKinds(text: string): Map<string, string> {
  const found = text.matchAll(/^# TYPE (\S+) (\S+)$/gm)
  return new Map([...found].map(([, name = '', kind = '']) => [name, kind]))
}
