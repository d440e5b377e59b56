/** Calls each member every `ms`, spread over time: not thousands of them in one turn. */
export interface Heartbeat {
  add(member: Beating): void
  remove(member: Beating): void
  stop(): void
}

export interface Beating {
  beat(): void
}

const groups = 15

export function createHeartbeat(ms: number): Heartbeat {
  const members = Array.from({ length: groups }, () => new Set<Beating>())
  let next = 0
  let turn = 0
  const timer = setInterval(() => {
    turn = (turn + 1) % groups
    for (const member of [...(members[turn] ?? [])]) member.beat()
  }, ms / groups)
  timer.unref()
  return {
    add(member) {
      next = (next + 1) % groups
      members[next]?.add(member)
    },
    remove(member) {
      for (const group of members) if (group.delete(member)) return
    },
    stop: () => clearInterval(timer),
  }
}
