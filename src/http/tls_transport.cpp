#include "http/tls_transport.hpp"

#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <limits>
#include <new>

#include "base/ip.hpp"

namespace spillway::http {

namespace {
constexpr std::size_t record_size = 16 * 1024;

/// Whether OpenSSL's last error is that the peer's certificate is missing or not valid.
bool is_about_certificate() noexcept {
    const unsigned long code = ERR_peek_last_error();
    const int reason = ERR_GET_REASON(code);
    return ERR_GET_LIB(code) == ERR_LIB_SSL &&
           (reason == SSL_R_CERTIFICATE_VERIFY_FAILED || reason == SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE);
}

int as_int(std::size_t n) noexcept {
    return static_cast<int>(std::min<std::size_t>(n, std::numeric_limits<int>::max()));
}
}  // namespace

/// The socket as OpenSSL sees it: without SIGPIPE, and without asking it for what it does not have.
struct TlsTransport::Bio {
    static TlsTransport& of(BIO* bio) noexcept { return *static_cast<TlsTransport*>(BIO_get_data(bio)); }

    static int read(BIO* bio, char* out, int size) noexcept {
        TlsTransport& t = of(bio);
        BIO_clear_retry_flags(bio);
        if (t.socket_is_empty_) {
            BIO_set_retry_read(bio);
            errno = EAGAIN;
            return -1;
        }
        ssize_t n = 0;
        do n = ::recv(t.fd(), out, static_cast<std::size_t>(size), 0);
        while (n < 0 && errno == EINTR);
        // Less than there was room for: that was all (epoll(7)), but for an end that is known already.
        if (n < size && n != 0 && !t.ended_) t.socket_is_empty_ = true;
        if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) BIO_set_retry_read(bio);
        return static_cast<int>(n);
    }
    static int write(BIO* bio, const char* bytes, int size) noexcept {
        BIO_clear_retry_flags(bio);
        ssize_t n = 0;
        do n = ::send(of(bio).fd(), bytes, static_cast<std::size_t>(size), MSG_NOSIGNAL);
        while (n < 0 && errno == EINTR);
        if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) BIO_set_retry_write(bio);
        return static_cast<int>(n);
    }
    static long control(BIO*, int command, long, void*) noexcept { return command == BIO_CTRL_FLUSH ? 1 : 0; }

    static const BIO_METHOD* method() {
        struct FreeMethod {
            void operator()(BIO_METHOD* m) const noexcept { BIO_meth_free(m); }
        };
        static const std::unique_ptr<BIO_METHOD, FreeMethod> made = [] {
            std::unique_ptr<BIO_METHOD, FreeMethod> out(
                BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "socket"));
            if (!out) throw std::bad_alloc();
            BIO_meth_set_read(out.get(), read);
            BIO_meth_set_write(out.get(), write);
            BIO_meth_set_ctrl(out.get(), control);
            return out;
        }();
        return made.get();
    }
};

TlsTransport::TlsTransport(FileDescriptor socket, TlsContext::Shared context)
    : Transport(std::move(socket)), context_(std::move(context)) {
    open();
    SSL_set_accept_state(tls_.get());
}

TlsTransport::TlsTransport(FileDescriptor socket, TlsContext::Shared context, const TlsPeer& peer)
    : Transport(std::move(socket)), context_(std::move(context)) {
    open();
    SSL_set_connect_state(tls_.get());
    const bool is_address = IpAddress::parse(peer.name).has_value();
    // No SNI for addresses: RFC 6066 §3.
    if (!is_address) SSL_set_tlsext_host_name(tls_.get(), peer.name.c_str());
    if (!peer.protocols.empty())
        SSL_set_alpn_protos(tls_.get(),
                            reinterpret_cast<const unsigned char*>(peer.protocols.data()),  // NOLINT
                            static_cast<unsigned>(peer.protocols.size()));
    if (!peer.verify) return;
    SSL_set_verify(tls_.get(), SSL_VERIFY_PEER, nullptr);
    if (is_address) {
        X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(tls_.get()), peer.name.c_str());
    } else {
        SSL_set_hostflags(tls_.get(), X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
        SSL_set1_host(tls_.get(), peer.name.c_str());
    }
}

void TlsTransport::open() {
    tls_.reset(SSL_new(context_->native()));
    BIO* const bio = BIO_new(Bio::method());
    if (!tls_ || bio == nullptr) {
        BIO_free(bio);
        throw std::bad_alloc();
    }
    BIO_set_data(bio, this);
    BIO_set_init(bio, 1);
    SSL_set_bio(tls_.get(), bio, bio);  // owns it from now on
}

/// Of a call that did not do what it should.
Transfer TlsTransport::outcome(int returned) {
    Transfer out;
    const int error = errno;
    switch (SSL_get_error(tls_.get(), returned)) {
        case SSL_ERROR_WANT_READ:
        case SSL_ERROR_WANT_WRITE:
            out.would_wait = true;
            break;
        case SSL_ERROR_ZERO_RETURN:
            out.error = IoError::eof;
            break;
        case SSL_ERROR_SYSCALL:
            if (error != 0)
                out.error.assign(error, std::system_category());
            else
                out.error = IoError::truncated;
            break;
        default: {
            const unsigned long code = ERR_peek_error();
            if (ERR_GET_LIB(code) == ERR_LIB_SSL &&
                ERR_GET_REASON(code) == SSL_R_UNEXPECTED_EOF_WHILE_READING) {
                out.error = IoError::truncated;
                break;
            }
            refused_ = SSL_is_server(tls_.get()) == 1 && is_about_certificate();
            const long verified = SSL_get_verify_result(tls_.get());
            problem_ =
                verified != X509_V_OK && (SSL_get_verify_mode(tls_.get()) & SSL_VERIFY_PEER) != 0
                    ? fmt::format("the certificate is not valid: {}", X509_verify_cert_error_string(verified))
                    : tls_error_text();
            out.error = refused_ ? IoError::certificate : IoError::tls;
        }
    }
    ERR_clear_error();
    return out;
}

std::unique_ptr<PeerCertificate> TlsTransport::peer_certificate() const {
    return SSL_is_server(tls_.get()) == 1 ? http::peer_certificate(*tls_) : nullptr;
}

Transfer TlsTransport::handshake() {
    ERR_clear_error();
    errno = 0;
    const int done = SSL_do_handshake(tls_.get());
    return done == 1 ? Transfer{} : outcome(done);
}

Transfer TlsTransport::read(std::span<char> space) {
    if (refused_) return read_socket(fd(), space);
    ERR_clear_error();
    Transfer out;
    // A record holds 16 KiB at most: what is there is taken together.
    while (out.n < space.size()) {
        errno = 0;
        const int n = SSL_read(tls_.get(), space.data() + out.n, as_int(space.size() - out.n));
        if (n <= 0) {
            if (out.n > 0) {  // what ended it is met again
                const int why = SSL_get_error(tls_.get(), n);
                out.more = why != SSL_ERROR_WANT_READ && why != SSL_ERROR_WANT_WRITE;
                ERR_clear_error();
                return out;
            }
            return outcome(n);
        }
        out.n += static_cast<std::size_t>(n);
        if (SSL_has_pending(tls_.get()) == 0 && socket_is_empty_) return out;
    }
    out.more = true;
    return out;
}

Transfer TlsTransport::write(Buffers buffers) {
    ERR_clear_error();
    std::array<char, record_size> joined;  // NOLINT(*-member-init): as much as is sent is written below
    Transfer out;
    std::size_t begun = 0;  // of the first buffer; they are the caller's to shorten
    while (!buffers.empty()) {
        std::string_view next = buffers.front().substr(begun);
        if (buffers.size() > 1 && next.size() < record_size) {
            std::size_t size = 0;
            for (std::string_view part : buffers) {
                if (size == 0) part = next;
                part = part.substr(0, record_size - size);
                std::memcpy(joined.data() + size, part.data(), part.size());
                size += part.size();
                if (size == record_size) break;
            }
            next = {joined.data(), size};
        }
        errno = 0;
        const int n = SSL_write(tls_.get(), next.data(), as_int(next.size()));
        if (n <= 0) {
            if (out.n == 0) return outcome(n);
            ERR_clear_error();
            return out;  // what stopped it is met again
        }
        out.n += static_cast<std::size_t>(n);
        begun += static_cast<std::size_t>(n);
        while (!buffers.empty() && begun >= buffers.front().size()) {
            begun -= buffers.front().size();
            buffers = buffers.subspan(1);
        }
    }
    return out;
}

bool TlsTransport::has_input() const noexcept {
    char one = 0;
    return SSL_has_pending(tls_.get()) == 1 || ::recv(fd(), &one, 1, MSG_PEEK | MSG_DONTWAIT) > 0;
}

void TlsTransport::end_writing() noexcept {
    ERR_clear_error();
    if (SSL_is_init_finished(tls_.get()) == 1) (void)SSL_shutdown(tls_.get());
    ERR_clear_error();
    ::shutdown(fd(), SHUT_WR);
}

std::string_view TlsTransport::protocol() const noexcept {
    const unsigned char* name = nullptr;
    unsigned size = 0;
    SSL_get0_alpn_selected(tls_.get(), &name, &size);
    return {reinterpret_cast<const char*>(name), size};  // NOLINT(*-reinterpret-cast)
}

}  // namespace spillway::http
