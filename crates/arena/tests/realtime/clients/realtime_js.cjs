// @supabase/realtime-js, as its users use it.
'use strict'

const { RealtimeClient } = require('@supabase/realtime-js')
const { WebSocket } = require('ws')
const { args, described, drive, payloadOf, saw } = require('./driver.cjs')

const { endpoint, vsn, token } = args()
// The client refuses to start without an apikey; a user without a token gives any.
const client = new RealtimeClient(endpoint, { params: { apikey: token ?? 'anonymous' }, transport: WebSocket, vsn })
const channels = new Map()

function broadcastConfig(config, resume, position) {
  const broadcast = { ...config.broadcast }
  // Read anew by the client at each join, its own ones included.
  if (resume) Object.defineProperty(broadcast, 'recover', { enumerable: true, get: () => position.last })
  return broadcast
}

function join({ topic, config = {}, resume, presence, since }) {
  const position = { last: since }
  const broadcast = broadcastConfig(config, resume, position)
  const channel = client.channel(topic, { config: { ...config, broadcast } })
  channels.set(topic, channel)
  channel.on('broadcast', { event: '*' }, ({ event, payload, meta }) => {
    if (meta?.offset !== undefined) position.last = { offset: meta.offset, epoch: meta.epoch }
    saw('broadcast', { topic, event, ...described(payload), meta })
  })
  channel.on('system', {}, (payload) => saw('system', { topic, payload }))
  if (presence) {
    for (const event of ['join', 'leave', 'sync']) {
      channel.on('presence', { event }, ({ key, newPresences, leftPresences }) =>
        saw('presence', { topic, event, key, metas: newPresences ?? leftPresences }))
    }
  }
  channel.joinPush.receive('ok', (response) => {
    position.last ??= response.position
    saw('joined', { topic, response })
  })
  channel.subscribe((status, error) => saw('status', { topic, status, error: error?.message }))
}

async function send({ topic, event, ...command }) {
  // A channel that was never joined: the client takes the way over HTTP.
  const channel = channels.get(topic) ?? client.channel(topic)
  const result = await channel.send({ type: 'broadcast', event, payload: payloadOf(command) })
  saw('sent', { topic, event, result })
}

/** `send` keeps the reply's reason to itself; this is the way below it. */
function ask({ topic, event, ...command }) {
  const push = channels.get(topic).channelAdapter.push('broadcast', { type: 'broadcast', event, payload: payloadOf(command) })
  for (const status of ['ok', 'error', 'timeout']) {
    push.receive(status, (response) => saw('reply', { topic, event, status, response }))
  }
}

async function http({ topic, event, ...command }) {
  const channel = channels.get(topic) ?? client.channel(topic)
  try {
    await channel.httpSend(event, payloadOf(command))
    saw('http', { topic, event, result: 'ok' })
  } catch (error) {
    saw('http', { topic, event, result: error.message })
  }
}

function heartbeat() {
  client.onHeartbeat((status) => saw('heartbeat', { status }))
  client.sendHeartbeat()
}

drive({
  join,
  heartbeat,
  send,
  ask,
  http,
  track: async ({ topic, payload }) => saw('sent', { topic, event: 'track', result: await channels.get(topic).track(payload) }),
  untrack: async ({ topic }) => saw('sent', { topic, event: 'untrack', result: await channels.get(topic).untrack() }),
  state: ({ topic }) => saw('state', { topic, state: channels.get(topic).presenceState() }),
  leave: async ({ topic }) => saw('left', { topic, result: await client.removeChannel(channels.get(topic)) }),
  auth: async ({ token }) => saw('auth', { result: await client.setAuth(token) }),
})
