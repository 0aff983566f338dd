#pragma once
// A small client of HTTP/2 over TLS for the tests of the http room. Made by std::make_shared: its operations
// keep it alive until close().
#include <fcntl.h>
#include <nghttp2/nghttp2.h>

#include <list>
#include <map>
#include <memory>

#include "base/loop.hpp"
#include "base/task.hpp"
#include "http/support.hpp"
#include "http/tls_transport.hpp"

namespace spillway::http::test {

struct Http2Answer {
    int status = 0;
    std::map<std::string, std::string> fields;
    std::string body;
    std::vector<std::size_t> pieces;
    bool continued = false;
    bool closed = false;
    std::uint32_t error = 0;
    // The request's body
    std::string to_send;
    std::size_t sent = 0;
};

class Http2Client : public std::enable_shared_from_this<Http2Client> {
public:
    explicit Http2Client(spillway::Loop& io, bool opens_windows = true) : loop(io), stream(io) {
        nghttp2_session_callbacks* calls = nullptr;
        nghttp2_option* options = nullptr;
        nghttp2_session_callbacks_new(&calls);
        nghttp2_option_new(&options);
        if (!opens_windows) nghttp2_option_set_no_auto_window_update(options, 1);
        nghttp2_session_callbacks_set_on_header_callback(
            calls,
            [](nghttp2_session*, const nghttp2_frame* frame, const std::uint8_t* name, std::size_t name_size,
               const std::uint8_t* value, std::size_t value_size, std::uint8_t, void* self) {
                Http2Answer& a = of(self).answers[frame->hd.stream_id];
                const std::string key(reinterpret_cast<const char*>(name), name_size);
                const std::string text(reinterpret_cast<const char*>(value), value_size);
                if (key != ":status")
                    a.fields[key] = text;
                else if (text == "100")
                    a.continued = true;
                else
                    a.status = std::stoi(text);
                return 0;
            });
        nghttp2_session_callbacks_set_on_data_chunk_recv_callback(
            calls, [](nghttp2_session*, std::uint8_t, std::int32_t id, const std::uint8_t* data,
                      std::size_t size, void* self) {
                Http2Answer& a = of(self).answers[id];
                a.body.append(reinterpret_cast<const char*>(data), size);
                a.pieces.push_back(size);
                return 0;
            });
        nghttp2_session_callbacks_set_on_stream_close_callback(
            calls, [](nghttp2_session*, std::int32_t id, std::uint32_t error, void* self) {
                of(self).answers[id].closed = true;
                of(self).answers[id].error = error;
                return 0;
            });
        nghttp2_session_callbacks_set_on_frame_recv_callback(
            calls, [](nghttp2_session*, const nghttp2_frame* frame, void* self) {
                if (frame->hd.type == NGHTTP2_GOAWAY) {
                    ++of(self).goaways;
                    of(self).goaway_code = frame->goaway.error_code;
                }
                return 0;
            });
        nghttp2_session_client_new2(&session, calls, this, options);
        nghttp2_option_del(options);
        nghttp2_session_callbacks_del(calls);
        nghttp2_submit_settings(session, NGHTTP2_FLAG_NONE, nullptr, 0);
    }
    Http2Client(const Http2Client&) = delete;
    Http2Client& operator=(const Http2Client&) = delete;
    ~Http2Client() { nghttp2_session_del(session); }

    /// `protocols` as ALPN has them; returns the one that was agreed on, or what went wrong.
    Task<std::string> connect(std::uint16_t port, std::string_view protocols = "\2h2") {
        const Endpoint end = *Endpoint::parse("127.0.0.1", port);
        FileDescriptor socket(::socket(AF_INET, SOCK_STREAM, 0));
        EXPECT_EQ(::connect(socket.get(), end.address(), end.size()), 0);  // the kernel answers
        EXPECT_EQ(::fcntl(socket.get(), F_SETFL, O_NONBLOCK), 0);
        set_connection_options(socket.get());
        auto made = std::make_unique<TlsTransport>(std::move(socket), *TlsContext::client({}),
                                                   TlsPeer{"gateway.test", false, std::string(protocols)});
        TlsTransport& tls = *made;
        EXPECT_FALSE(stream.open(std::move(made)));
        const std::error_code refused = co_await stream.handshake();
        if (refused) co_return tls.problem();
        co_return std::string(tls.protocol());
    }
    void begin() {
        read();
        flush();
    }
    using Pairs = std::vector<std::pair<std::string, std::string>>;
    /// `ends`: the body is whole. Else it never comes to its end.
    std::int32_t ask(const std::string& method, const std::string& path, std::string body = {},
                     Pairs more = {}, bool ends = true) {
        Pairs& all = asked.emplace_back(Pairs{
            {":method", method}, {":scheme", "https"}, {":authority", "gateway.test"}, {":path", path}});
        all.insert(all.end(), more.begin(), more.end());
        std::vector<nghttp2_nv> fields;
        for (auto& [name, value] : all)
            fields.push_back({reinterpret_cast<std::uint8_t*>(name.data()),
                              reinterpret_cast<std::uint8_t*>(value.data()), name.size(), value.size(),
                              NGHTTP2_NV_FLAG_NO_COPY_NAME | NGHTTP2_NV_FLAG_NO_COPY_VALUE});
        nghttp2_data_provider source{};
        source.read_callback = [](nghttp2_session*, std::int32_t id, std::uint8_t* to, std::size_t room,
                                  std::uint32_t* flags, nghttp2_data_source* from, void* self) -> ssize_t {
            Http2Answer& a = of(self).answers[id];
            const std::size_t n = std::min(room, a.to_send.size() - a.sent);
            std::copy_n(a.to_send.data() + a.sent, n, to);
            a.sent += n;
            if (a.sent == a.to_send.size() && from->fd == 1) *flags |= NGHTTP2_DATA_FLAG_EOF;
            if (n == 0 && from->fd == 0) return NGHTTP2_ERR_DEFERRED;
            return static_cast<ssize_t>(n);
        };
        source.source.fd = ends ? 1 : 0;
        const bool bodiless = body.empty() && ends;
        const std::int32_t id = nghttp2_submit_request(session, nullptr, fields.data(), fields.size(),
                                                       bodiless ? nullptr : &source, nullptr);
        answers[id].to_send = std::move(body);
        flush();
        return id;
    }
    /// `bytes` as they are, and nothing of the session's.
    Task<void> send(std::string bytes) {
        writing = true;
        (void)co_await stream.write(bytes);
        writing = false;
    }
    /// RFC 9113 §4.1
    static std::string frame(char type, char flags, std::int32_t id, std::string_view payload) {
        const std::size_t size = payload.size();
        std::string bytes{0, static_cast<char>(size >> 8U), static_cast<char>(size), type, flags, 0, 0};
        bytes.push_back(static_cast<char>(id >> 8));
        bytes.push_back(static_cast<char>(id));
        return bytes.append(payload);
    }
    void reset(std::int32_t id) {
        nghttp2_submit_rst_stream(session, NGHTTP2_FLAG_NONE, id, NGHTTP2_CANCEL);
        flush();
    }
    void open_window(std::int32_t id, std::size_t bytes) {
        nghttp2_session_consume(session, id, bytes);
        flush();
    }
    void close() { stream.close(); }
    void flush() {
        if (writing) return;
        const std::uint8_t* bytes = nullptr;
        out.clear();
        for (ssize_t n = 0; (n = nghttp2_session_mem_send(session, &bytes)) > 0;)
            out.append(reinterpret_cast<const char*>(bytes), static_cast<std::size_t>(n));
        if (out.empty()) return;
        writing = true;
        loop.spawn([self = shared_from_this()]() -> Task<void> {
            const std::error_code ec = co_await self->stream.write(self->out);
            self->writing = false;
            if (!ec) self->flush();
        });
    }
    void read() {
        loop.spawn([self = shared_from_this()]() -> Task<void> {
            for (;;) {
                const auto [ec, n] = co_await self->stream.read_some(self->in);
                if (ec) break;
                nghttp2_session_mem_recv(self->session,
                                         reinterpret_cast<const std::uint8_t*>(self->in.data()), n);
                self->flush();
            }
            self->ended = true;
        });
    }

    spillway::Loop& loop;
    ByteStream stream;
    nghttp2_session* session = nullptr;
    std::map<std::int32_t, Http2Answer> answers;
    std::list<Pairs> asked;  // nghttp2 would make names lower-case if it copied them
    std::array<char, 16384> in{};
    std::string out;
    int goaways = 0;
    std::uint32_t goaway_code = 0;
    bool writing = false;
    bool ended = false;

private:
    static Http2Client& of(void* self) { return *static_cast<Http2Client*>(self); }
};

}  // namespace spillway::http::test
