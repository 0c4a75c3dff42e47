// Rooms over socket.io, as its documentation shows them. Ends with its standard input.
import { Server } from "socket.io";

const port = Number(process.argv[2]);
const io = new Server(port, { transports: ["websocket"], perMessageDeflate: false, serveClient: false });
io.on("connection", (socket) => {
  socket.on("join", (room, done) => {
    socket.join(room);
    done();
  });
  socket.on("say", (room, message) => io.to(room).emit("say", message));
});
process.stdin.on("end", () => process.exit(0)).resume();
