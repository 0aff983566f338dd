#include "app/blocking_client.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

#include "base/strings.hpp"
#include "http/tls_context.hpp"

namespace spillway::app {
namespace {

constexpr int kReadSeconds = 20;
constexpr std::size_t kMostBytes = std::size_t{4} * 1024 * 1024;

std::string system_reason(int error) {
    return std::generic_category().message(error);
}

std::string address_text(const addrinfo& address) {
    char host[NI_MAXHOST]{};
    if (::getnameinfo(address.ai_addr, address.ai_addrlen, host, sizeof host, nullptr, 0, NI_NUMERICHOST) !=
        0)
        return "?";
    return host;
}

/// Connects within `timeout`; the socket, or -1 with errno.
int connect_to(const addrinfo& address, Duration timeout) {
    const int fd = ::socket(address.ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) return -1;
    int error = ::connect(fd, address.ai_addr, address.ai_addrlen) == 0 ? 0 : errno;
    if (error == EINPROGRESS) {
        pollfd waiting{fd, POLLOUT, 0};
        const auto ms = std::chrono::ceil<std::chrono::milliseconds>(timeout).count();
        socklen_t size = sizeof error;
        if (::poll(&waiting, 1, static_cast<int>(ms)) <= 0)
            error = ETIMEDOUT;
        else if (::getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) != 0)
            error = errno;
    }
    if (error == 0) {
        const timeval patience{kReadSeconds, 0};
        ::fcntl(fd, F_SETFL, ::fcntl(fd, F_GETFL) & ~O_NONBLOCK);
        ::setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
        ::setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
        return fd;
    }
    ::close(fd);
    errno = error;
    return -1;
}

/// The body of a chunked answer (RFC 9112 §7.1); what was understood of it.
std::string unchunked(std::string_view text) {
    std::string out;
    while (!text.empty()) {
        const auto line_end = text.find("\r\n");
        if (line_end == std::string_view::npos) break;
        std::size_t size = 0;
        for (const char c : text.substr(0, line_end)) {
            const char l = ascii_lower(c);
            if (l >= '0' && l <= '9')
                size = size * 16 + static_cast<std::size_t>(l - '0');
            else if (l >= 'a' && l <= 'f')
                size = size * 16 + static_cast<std::size_t>(l - 'a') + 10;
            else
                break;
            if (size > kMostBytes) return out;
        }
        if (size == 0) break;
        text.remove_prefix(line_end + 2);
        out += text.substr(0, size);
        text.remove_prefix(std::min(text.size(), size + 2));
    }
    return out;
}

}  // namespace

BlockingClient::~BlockingClient() {
    if (socket_ >= 0) ::close(socket_);
}

const std::string& BlockingClient::host() const noexcept {
    return backend_.proxy ? backend_.proxy->host : backend_.url.host;
}
std::uint16_t BlockingClient::port() const noexcept {
    return backend_.proxy ? backend_.proxy->port : backend_.url.port;
}

Result<std::string> BlockingClient::look_up() {
    addrinfo hints{};
    hints.ai_socktype = SOCK_STREAM;
    addrinfo* found = nullptr;
    if (const int error = ::getaddrinfo(host().c_str(), std::to_string(port()).c_str(), &hints, &found);
        error != 0)
        return fail(fmt::format("{}: {}", host(),
                                error == EAI_SYSTEM ? system_reason(errno) : ::gai_strerror(error)));
    addresses_.reset(found);
    std::string out;
    for (const auto* a = found; a != nullptr; a = a->ai_next)
        out += (out.empty() ? "" : ", ") + address_text(*a);
    return out;
}

Result<std::string> BlockingClient::connect() {
    int error = 0;
    for (const auto* a = addresses_.get(); a != nullptr; a = a->ai_next) {
        socket_ = connect_to(*a, backend_.timeouts.connect);
        if (socket_ >= 0) return fmt::format("{} port {}", address_text(*a), port());
        error = errno;
    }
    return fail(fmt::format("port {}: {}", port(), system_reason(error)));
}

Result<std::string> BlockingClient::open_tunnel() {
    const bool v6 = backend_.url.host.find(':') != std::string::npos;
    const auto named = v6 ? fmt::format("[{}]", backend_.url.host) : backend_.url.host;
    const auto peer = fmt::format("{}:{}", named, backend_.url.port);
    auto request = fmt::format("CONNECT {} HTTP/1.1\r\nHost: {}\r\n", peer, peer);
    if (const auto shown = backend_.proxy->authorization(); !shown.empty())
        request += fmt::format("Proxy-Authorization: {}\r\n", shown);
    if (!send_all(request + "\r\n")) return fail("the proxy took no request");
    std::string head;
    char c = 0;
    while (head.size() < 16'384 && !head.ends_with("\r\n\r\n") && ::recv(socket_, &c, 1, 0) == 1)
        head.push_back(c);
    const std::string_view line = std::string_view(head).substr(0, head.find('\r'));
    if (!line.starts_with("HTTP/1.") || line.size() < 12) return fail("the proxy gave no HTTP answer");
    if (line.substr(8, 2) != " 2")
        return fail(fmt::format("does not lead to {}: {}", peer, line.substr(9, 100)));
    return "a tunnel to " + peer;
}

Result<std::string> BlockingClient::handshake() {
    ERR_clear_error();
    context_.reset(SSL_CTX_new(TLS_client_method()));
    if (!context_) return fail("OpenSSL offers no TLS");
    SSL_CTX_set_min_proto_version(context_.get(), TLS1_2_VERSION);
    const auto& settings = backend_.tls;
    if (settings.verify) {
        SSL_CTX_set_verify(context_.get(), SSL_VERIFY_PEER, nullptr);
        const int loaded = settings.ca_file.empty() ? SSL_CTX_set_default_verify_paths(context_.get())
                                                    : SSL_CTX_load_verify_locations(
                                                          context_.get(), settings.ca_file.c_str(), nullptr);
        if (loaded != 1) return fail("cannot read the authorities to trust");
    }
    tls_.reset(SSL_new(context_.get()));
    const auto& name = settings.server_name.empty() ? backend_.url.host : settings.server_name;
    SSL_set_tlsext_host_name(tls_.get(), name.c_str());
    X509_VERIFY_PARAM* checked = SSL_get0_param(tls_.get());
    if (X509_VERIFY_PARAM_set1_ip_asc(checked, name.c_str()) != 1) SSL_set1_host(tls_.get(), name.c_str());
    SSL_set_fd(tls_.get(), socket_);
    if (SSL_connect(tls_.get()) == 1)
        return fmt::format("{}, {}", SSL_get_version(tls_.get()), SSL_get_cipher_name(tls_.get()));
    if (const long verdict = SSL_get_verify_result(tls_.get()); settings.verify && verdict != X509_V_OK)
        return fail(fmt::format("the certificate is not good for {}: {}", name,
                                X509_verify_cert_error_string(verdict)));
    const auto code = ERR_peek_error();
    const char* reason = code == 0 ? nullptr : ERR_reason_error_string(code);
    return fail(reason == nullptr ? "the server ended the handshake, or does not speak TLS" : reason);
}

Result<Wall> BlockingClient::certificate_end() const {
    const Wall end = http::certificate_end(SSL_get0_peer_certificate(tls_.get()));
    if (end == Wall::max()) return fail("the certificate does not say when it ends");
    return end;
}

bool BlockingClient::send_all(std::string_view bytes) {
    if (tls_) {
        std::size_t sent = 0;
        return SSL_write_ex(tls_.get(), bytes.data(), bytes.size(), &sent) == 1;
    }
    while (!bytes.empty()) {
        const auto n = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
        if (n <= 0) return false;
        bytes.remove_prefix(static_cast<std::size_t>(n));
    }
    return true;
}

Result<std::string> BlockingClient::read_all() {
    std::string out;
    std::string piece(16'384, '\0');
    for (;;) {
        std::size_t n = 0;
        if (tls_) {
            if (SSL_read_ex(tls_.get(), piece.data(), piece.size(), &n) != 1) break;
        } else {
            const auto got = ::recv(socket_, piece.data(), piece.size(), 0);
            if (got <= 0) break;
            n = static_cast<std::size_t>(got);
        }
        out.append(piece, 0, n);
        if (out.size() > kMostBytes) return fail("the answer is larger than 4 MiB");
    }
    if (out.empty()) return fail("no answer came");
    return out;
}

Result<BlockingAnswer> BlockingClient::get(std::string_view target, std::string_view fields) {
    const bool by_proxy = backend_.proxy && !backend_.url.tls;
    const auto shown = by_proxy ? backend_.proxy->authorization() : std::string();
    const auto request = fmt::format(
        "GET {}{} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n{}{}\r\n",
        by_proxy ? "http://" + backend_.url.authority() : std::string(), target, backend_.url.authority(),
        fields, shown.empty() ? shown : fmt::format("Proxy-Authorization: {}\r\n", shown));
    if (!send_all(request)) return fail("the request could not be sent");
    auto text = read_all();
    if (!text) return text.error();
    const auto head_end = text->find("\r\n\r\n");
    const std::string_view head = std::string_view(*text).substr(0, head_end);
    BlockingAnswer answer;
    const auto status =
        head.size() >= 12 && head.starts_with("HTTP/1.") ? parse_int<int>(head.substr(9, 3)) : std::nullopt;
    if (head_end == std::string::npos || !status) return fail("what came is no HTTP answer");
    answer.status = *status;
    answer.body = text->substr(head_end + 4);
    std::string lower(head);
    for (char& c : lower) c = ascii_lower(c);
    if (lower.find("\r\ntransfer-encoding: chunked") != std::string::npos)
        answer.body = unchunked(answer.body);
    return answer;
}

}  // namespace spillway::app
