// phoenix.js, as its users would use it against a gateway that speaks Supabase's dialect.
'use strict'

const { Presence, Socket } = require('phoenix')
const { WebSocket } = require('ws')
const { args, drive, payloadOf, saw } = require('./driver.cjs')

const { endpoint, token } = args()
// The token goes as a subprotocol, which is this client's own way; an apikey in the query is the others' way.
const socket = new Socket(endpoint, { transport: WebSocket, ...(token ? { authToken: token } : {}) })
const channels = new Map()

function join({ topic, config, resume, presence, since }) {
  const position = { last: since }
  // Asked anew at each join, the client's own ones included.
  const params = () => {
    if (!config && !resume) return {}
    const broadcast = { ...config?.broadcast, ...(resume ? { recover: position.last } : {}) }
    return { config: { ...config, broadcast } }
  }
  const channel = socket.channel(`realtime:${topic}`, params)
  channels.set(topic, { channel, ack: config?.broadcast?.ack })
  channel.on('broadcast', ({ event, payload, meta }) => {
    if (meta?.offset !== undefined) position.last = { offset: meta.offset, epoch: meta.epoch }
    saw('broadcast', { topic, event, payload, meta })
  })
  channel.on('system', (payload) => saw('system', { topic, payload }))
  channel.onError((error) => saw('status', { topic, status: 'CHANNEL_ERROR', error: JSON.stringify(error) }))
  channel.onClose(() => saw('status', { topic, status: 'CLOSED' }))
  if (presence) listen(topic, channel)
  socket.connect()
  channel.join()
    .receive('ok', (response) => {
      position.last ??= response.position
      saw('joined', { topic, response })
      saw('status', { topic, status: 'SUBSCRIBED' })
    })
    .receive('error', ({ reason }) => saw('status', { topic, status: 'CHANNEL_ERROR', error: reason }))
    .receive('timeout', () => saw('status', { topic, status: 'TIMED_OUT' }))
}

function listen(topic, channel) {
  const presence = new Presence(channel)
  channel.presence = presence
  const metas = (entry) => entry.metas.map(({ phx_ref, phx_ref_prev, ...meta }) => ({ presence_ref: phx_ref, ...meta }))
  presence.onJoin((key, _, joined) => saw('presence', { topic, event: 'join', key, metas: metas(joined) }))
  presence.onLeave((key, _, left) => saw('presence', { topic, event: 'leave', key, metas: metas(left) }))
  presence.onSync(() => saw('presence', { topic, event: 'sync' }))
}

function push(topic, event, payload, done) {
  const sent = channels.get(topic).channel.push(event, payload)
  for (const status of ['ok', 'error', 'timeout']) sent.receive(status, (response) => done(status, response))
}

function send({ topic, event, ...command }) {
  const message = { type: 'broadcast', event, payload: payloadOf(command) }
  if (channels.get(topic).ack) return push(topic, 'broadcast', message, (result) => saw('sent', { topic, event, result }))
  channels.get(topic).channel.push('broadcast', message)
  saw('sent', { topic, event, result: 'ok' })
}

function ask({ topic, event, ...command }) {
  const message = { type: 'broadcast', event, payload: payloadOf(command) }
  push(topic, 'broadcast', message, (status, response) => saw('reply', { topic, event, status, response }))
}

function track(topic, event, payload) {
  push(topic, 'presence', { type: 'presence', event, payload }, (result) => saw('sent', { topic, event, result }))
}

function state({ topic }) {
  const state = {}
  channels.get(topic).channel.presence.list((key, { metas }) => {
    state[key] = metas.map(({ phx_ref, phx_ref_prev, ...meta }) => ({ presence_ref: phx_ref, ...meta }))
  })
  saw('state', { topic, state })
}

/** An event of the user's own, JSON or bytes, as Phoenix knows them. */
function plain({ topic, event, ...command }) {
  channels.get(topic).channel.push(event, payloadOf(command))
  saw('sent', { topic, event, result: 'ok' })
}

drive({
  join,
  plain,
  heartbeat: () => socket.ping(() => saw('heartbeat', { status: 'ok' })),
  send,
  ask,
  track: ({ topic, payload }) => track(topic, 'track', payload),
  untrack: ({ topic }) => track(topic, 'untrack', {}),
  state,
  leave: ({ topic }) => channels.get(topic).channel.leave().receive('ok', () => saw('left', { topic, result: 'ok' })),
  auth: ({ token }) => {
    for (const { channel } of channels.values()) channel.push('access_token', { access_token: token })
    saw('auth', {})
  },
})
