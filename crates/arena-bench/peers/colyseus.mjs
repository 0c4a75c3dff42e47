// Rooms of Colyseus that repeat what a member says, without state. Ends with its standard input.
import { Room, Server } from "@colyseus/core";
import { WebSocketTransport } from "@colyseus/ws-transport";

class Repeat extends Room {
  onCreate() {
    // Everybody has joined before anybody talks: nobody comes back.
    this.seatReservationTime = 60;
    this.onMessage("say", (_, message) => this.broadcast("say", message));
  }
}

const port = Number(process.argv[2]);
// Without pings: members are silent while the others join, which takes longer than two of its intervals.
const transport = new WebSocketTransport({ perMessageDeflate: false, pingInterval: 0 });
const server = new Server({ greet: false, transport });
server.define("repeat", Repeat).filterBy(["number"]);
await server.listen(port, "127.0.0.1");
process.stdin.on("end", () => process.exit(0)).resume();
