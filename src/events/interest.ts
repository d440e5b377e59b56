import { randomUUID } from 'node:crypto'
import { type Channel, maxMessageBytes } from '../channel/channel.ts'

/**
 * Which keys other processes have listeners for, so that nothing live is sent to where nobody
 * looks. Each process says it of its own when one is added and then again and again; whoever
 * says nothing any more is forgotten.
 */
export interface Interest {
  /** Somebody in this process listens to these keys of a project from now on. */
  add(projectId: string, keys: readonly string[]): void
  /** Whether no other process listens to anything. */
  readonly isEmpty: boolean
  /** Whether another process listens to the key. */
  has(projectId: string, key: string): boolean
  close(): void
}

const topic = 'watch'
/** Asks everybody to say it now. */
const question = '?'
const repeatMs = 10_000
/** Two repetitions may be lost. */
const forgetMs = 35_000

/** `isLive` says whether somebody in this process still listens to a key that was added. */
export function createInterest(
  channel: Channel,
  isLive: (projectId: string, key: string) => boolean,
): Interest {
  const self = randomUUID().slice(0, 8)
  const own = new Set<string>()
  const others = new Map<string, number>()

  const say = (names: Iterable<string>) => {
    for (const message of messagesOf(self, names)) channel.send(topic, message)
  }
  const repeat = () => {
    for (const name of own) if (!isLive(...split(name))) own.delete(name)
    say(own)
    const now = Date.now()
    for (const [name, until] of others) if (until < now) others.delete(name)
  }
  const timer = setInterval(repeat, repeatMs)
  timer.unref()
  const ask = () => channel.send(topic, self + question)
  const stops = [
    channel.on(topic, (message) => {
      if (message.startsWith(self)) return
      const said = message.slice(self.length)
      if (said === question) return say(own)
      for (const name of JSON.parse(said) as string[])
        others.set(name, Date.now() + forgetMs)
    }),
    channel.onGap(ask),
  ]
  ask()

  return {
    add(projectId, keys) {
      const names = keys
        .map((key) => join(projectId, key))
        .filter((name) => !own.has(name))
      for (const name of names) own.add(name)
      say(names)
    },
    get isEmpty() {
      return others.size === 0
    },
    has(projectId, key) {
      if (others.size === 0) return false
      return (others.get(join(projectId, key)) ?? 0) > Date.now()
    },
    close() {
      clearInterval(timer)
      for (const stop of stops) stop()
    },
  }
}

function* messagesOf(self: string, names: Iterable<string>): Generator<string> {
  let some: string[] = []
  const packed = (list: readonly string[]) => self + JSON.stringify(list)
  for (const name of names) {
    if (some.length > 0 && Buffer.byteLength(packed([...some, name])) > maxMessageBytes) {
      yield packed(some)
      some = []
    }
    some.push(name)
  }
  if (some.length > 0) yield packed(some)
}

/** Neither ids of projects nor kinds of topics contain a line break. */
const join = (projectId: string, key: string) => `${projectId}\n${key}`

function split(name: string): [projectId: string, key: string] {
  const at = name.indexOf('\n')
  return [name.slice(0, at), name.slice(at + 1)]
}
