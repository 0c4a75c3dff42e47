// What the two JavaScript clients have in common: one process is one connection. Commands come as JSON lines on
// standard input, what the client saw goes out as JSON lines on standard output.
'use strict'

const readline = require('node:readline')

/** Tells the test what was seen. */
function saw(what, details) {
  process.stdout.write(JSON.stringify({ saw: what, ...details }) + '\n')
}

/** A frame that the client cannot take throws where nobody catches it: the test must know, and fail. */
function fault(error) {
  saw('fault', { error: String(error && error.stack ? error.stack : error) })
  process.exit(1)
}

/** What a command wants to send: JSON, or bytes that are base64 in the command. */
function payloadOf({ payload, base64 }) {
  if (base64 === undefined) return payload
  const bytes = Buffer.from(base64, 'base64')
  return bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length)
}

/** The reverse of `payloadOf`. */
function described(payload) {
  return payload instanceof ArrayBuffer ? { base64: Buffer.from(payload).toString('base64') } : { payload }
}

/** Carries out commands by their names, one after the other; the end of input is the end of the client. */
function drive(commands) {
  process.on('uncaughtException', fault)
  process.on('unhandledRejection', fault)
  const lines = readline.createInterface({ input: process.stdin })
  lines.on('line', (line) => {
    const command = JSON.parse(line)
    Promise.resolve(commands[command.do](command)).catch(fault)
  })
  lines.on('close', () => process.exit(0))
}

/** `node script.cjs ENDPOINT VSN [TOKEN]` */
function args() {
  const [endpoint, vsn, token] = process.argv.slice(2)
  return { endpoint, vsn, token }
}

module.exports = { args, described, drive, payloadOf, saw }
