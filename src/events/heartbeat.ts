/** Calls each member every `ms`, spread over time: not thousands of them in one turn. */
export interface Heartbeat {
  add(beat: Beating): void
  remove(beat: Beating): void
  stop(): void
}

export interface Beating {
  beat(): void
}

const groups = 15

export function createHeartbeat(ms: number): Heartbeat {
  const members = Array.from({ length: groups }, () => new Set<Beating>())
  const groupOf = new WeakMap<Beating, Set<Beating>>()
  let next = 0
  let turn = 0
  const timer = setInterval(() => {
    turn = (turn + 1) % groups
    for (const member of [...(members[turn] ?? [])]) member.beat()
  }, ms / groups)
  timer.unref()
  return {
    add(beat) {
      next = (next + 1) % groups
      const group = members[next]
      if (!group) return
      group.add(beat)
      groupOf.set(beat, group)
    },
    remove: (beat) => groupOf.get(beat)?.delete(beat),
    stop: () => clearInterval(timer),
  }
}
