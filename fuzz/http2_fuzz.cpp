// A client of HTTP/2: the input is a list of frames (kind, flags, stream, length, payload), or raw bytes if
// it begins with the preface. The server ends with its client, answers whole requests only, and holds no
// memory afterwards.
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <memory>
#include <string>

#include "base/loop.hpp"
#include "base/memory_budget.hpp"
#include "check.hpp"
#include "http/server_connection.hpp"

using namespace spillway;
using namespace spillway::http;

namespace {

constexpr std::string_view kPreface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
constexpr std::size_t kMost = std::size_t{48} * 1024;

/// As if TLS had agreed on h2.
class Agreed final : public Transport {
public:
    explicit Agreed(FileDescriptor socket) noexcept : Transport(std::move(socket)) {}
    Transfer read(std::span<char> space) override { return read_socket(fd(), space); }
    Transfer write(Buffers buffers) override {
        Transfer out;
        for (const std::string_view piece : buffers) {
            const ssize_t n = ::send(fd(), piece.data(), piece.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
            if (n < 0) return out.n > 0 ? out : failed_transfer();
            out.n += static_cast<std::size_t>(n);
        }
        return out;
    }
    [[nodiscard]] bool has_input() const noexcept override { return false; }
    void end_writing() noexcept override { ::shutdown(fd(), SHUT_WR); }
    [[nodiscard]] std::string_view protocol() const noexcept override { return "h2"; }
};

/// HPACK without Huffman and tables: names and values as they are.
std::string fields(std::initializer_list<std::pair<std::string_view, std::string_view>> list) {
    std::string out;
    for (const auto& [name, value] : list) {
        out += '\0';
        out += static_cast<char>(name.size());
        out += name;
        out += static_cast<char>(value.size());
        out += value;
    }
    return out;
}

/// Heads that are good, or wrong in a way that no random byte hits.
const std::string& canned(unsigned which) {
    static const std::array<std::string, 6> all{
        fields({{":method", "POST"}, {":scheme", "https"}, {":authority", "a"}, {":path", "/"}}),
        fields({{":method", "GET"}, {":scheme", "https"}, {":authority", "a"}, {":path", "/"}}),
        fields({{":method", "POST"},
                {":scheme", "https"},
                {":authority", "a"},
                {":path", "/"},
                {"content-length", "5"}}),
        fields({{":method", "CONNECT"}, {":authority", "a"}}),
        fields({{":method", "GET"}, {":scheme", "https"}, {":path", "/"}, {"te", "gzip"}, {"host", "b"}}),
        fields({{"x-trailer", "1"}})};
    return all.at(which % all.size());
}

void add_frame(std::string& out, unsigned kind, unsigned flags, unsigned stream, std::string_view payload) {
    for (const unsigned shift : {16U, 8U, 0U}) out += static_cast<char>(payload.size() >> shift & 0xffU);
    out += static_cast<char>(kind);
    out += static_cast<char>(flags);
    for (const unsigned shift : {24U, 16U, 8U, 0U}) out += static_cast<char>(stream >> shift & 0xffU);
    out += payload;
}

std::string wire(std::string_view input) {
    if (input.starts_with("PRI")) return std::string(input.substr(0, kMost));
    std::string out(kPreface);
    add_frame(out, 4, 0, 0, {});  // SETTINGS
    while (input.size() >= 4 && out.size() < kMost) {
        const auto byte = [&](std::size_t i) { return unsigned{static_cast<unsigned char>(input[i])}; };
        const unsigned kind = byte(0) % 11;
        const unsigned flags = byte(1);
        const unsigned stream = byte(2) % 16;
        const unsigned length = byte(3);
        input.remove_prefix(4);
        if ((kind == 1 || kind == 9) && length < 16) {
            add_frame(out, kind, flags & ~0x28U, stream, canned(length));
            continue;
        }
        const std::string_view payload = input.substr(0, length);
        input.remove_prefix(payload.size());
        add_frame(out, kind, flags, stream, payload);
    }
    return out;
}

Task<void> answer(Exchange& exchange) {
    SPILLWAY_EXPECT(!exchange.request().method.empty());
    if (exchange.body_due()) {
        const BodyFault fault = co_await exchange.read_body();
        if (fault != BodyFault::none) {
            const BodyRefusal why = explain(fault);
            (void)co_await exchange.respond(why.status, {}, why.message);
            co_return;
        }
    }
    (void)co_await exchange.respond(200, {}, exchange.body());
}

Task<void> serve(Loop& loop, std::shared_ptr<ServerConnection> connection, FileDescriptor socket) {
    co_await connection->run(std::make_unique<Agreed>(std::move(socket)));
    loop.stop();
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    std::array<int, 2> ends{};
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends.data()) != 0) return 0;
    const FileDescriptor client(ends[0]);
    const std::string bytes = wire(fuzz::as_text(data, size));
    const ssize_t sent = ::send(client.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    SPILLWAY_EXPECT(sent == static_cast<ssize_t>(bytes.size()));

    MemoryBudget memory(1'000'000);
    {
        Loop loop;
        auto shared = std::make_shared<ServerShared>();
        shared->limits.memory = &memory;
        shared->limits.max_body_bytes = 100'000;
        shared->limits.max_streams = 8;
        shared->heads_first = true;
        shared->handler = answer;
        loop.spawn(serve(loop, std::make_shared<ServerConnection>(loop, shared, "127.0.0.1:1"),
                         FileDescriptor(ends[1])));
        loop.run_for(std::chrono::milliseconds(1));  // whoever has left is not answered
        ::shutdown(client.get(), SHUT_WR);
        loop.run();
    }
    SPILLWAY_EXPECT(memory.used() == 0);
    return 0;
}
