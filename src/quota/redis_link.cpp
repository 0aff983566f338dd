#include "quota/redis_link.hpp"

#include <openssl/ssl.h>

#include <array>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/connect.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/host_name_verification.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace spillway::quota {
namespace {

namespace asio = boost::asio;
using tcp = asio::ip::tcp;
constexpr auto as_values = asio::as_tuple(asio::use_awaitable);

asio::ssl::context make_tls(const config::RedisConfig& config) {
    asio::ssl::context tls(asio::ssl::context::tls_client);
    if (!config.tls) return tls;
    if (config.ca_file.empty())
        tls.set_default_verify_paths();
    else
        tls.load_verify_file(config.ca_file);
    tls.set_verify_mode(config.verify ? asio::ssl::verify_peer : asio::ssl::verify_none);
    return tls;
}

}  // namespace

RedisLink::RedisLink(asio::io_context& context, const config::RedisConfig& config)
    : context_(context),
      config_(config),
      tls_(make_tls(config)),
      resolver_(context),
      deadline_(context),
      reader_(redisReaderCreate()) {}

void RedisLink::close() noexcept {
    if (stream_) stream_->close();
    stream_.reset();
    out_.clear();
    expected_ = 0;
}

void RedisLink::abort() noexcept {
    resolver_.cancel();
    if (stream_) stream_->close();
}

/// From now on the operations under way have the configured time together.
void RedisLink::watch() {
    deadline_.expires_after(config_.timeout);
    deadline_.async_wait([this](const boost::system::error_code& ec) {
        if (!ec && stream_) stream_->close();
    });
}

asio::awaitable<Result<void>> RedisLink::connect() {
    const std::string port = std::to_string(config_.port);
    const auto [resolve_error, found] = co_await resolver_.async_resolve(config_.host, port, as_values);
    if (resolve_error) co_return fail(resolve_error.message());
    stream_.emplace(http::AsioStream::Socket(context_));
    watch();
    const auto [connect_error, endpoint] = co_await asio::async_connect(stream_->socket(), found, as_values);
    if (connect_error) co_return fail(connect_error.message());
    boost::system::error_code ignored;
    stream_->socket().set_option(tcp::no_delay(true), ignored);
    if (!config_.tls) co_return Result<void>();
    auto& tls = stream_->wrap(tls_);
    SSL_set_tlsext_host_name(tls.native_handle(), config_.host.c_str());
    if (config_.verify) tls.set_verify_callback(asio::ssl::host_name_verification(config_.host));
    const auto [tls_error] = co_await tls.async_handshake(asio::ssl::stream_base::client, as_values);
    if (tls_error) co_return fail("TLS: " + tls_error.message());
    co_return Result<void>();
}

asio::awaitable<Result<void>> RedisLink::greet() {
    using Words = std::array<std::string_view, 3>;
    if (!config_.password.empty()) {
        const Words named{"AUTH", config_.username, config_.password.reveal()};
        const Words plain{"AUTH", config_.password.reveal(), {}};
        add(config_.username.empty() ? std::span(plain).first(2) : std::span(named));
    }
    const std::string database = std::to_string(config_.database);
    const Words select{"SELECT", database, {}};
    if (config_.database != 0) add(std::span(select).first(2));
    const Words ping{"PING", {}, {}};
    add(std::span(ping).first(1));
    const auto replies = co_await exchange();
    if (!replies) co_return replies.error();
    for (const RedisReply& reply : *replies)
        if (reply->type == REDIS_REPLY_ERROR) co_return fail(std::string(reply->str, reply->len));
    co_return Result<void>();
}

asio::awaitable<Result<void>> RedisLink::open() {
    close();
    reader_.reset(redisReaderCreate());
    auto done = co_await connect();
    if (done) done = co_await greet();
    deadline_.cancel();
    if (!done) close();
    co_return done;
}

void RedisLink::add(std::span<const std::string_view> arguments) {
    out_ += '*' + std::to_string(arguments.size()) + "\r\n";
    for (const std::string_view argument : arguments) {
        out_ += '$' + std::to_string(argument.size()) + "\r\n";
        out_.append(argument) += "\r\n";
    }
    ++expected_;
}

asio::awaitable<Result<std::vector<RedisReply>>> RedisLink::exchange() {
    std::vector<RedisReply> replies;
    if (!stream_) co_return fail("is not connected");
    replies.reserve(expected_);
    watch();
    const asio::const_buffer all = asio::buffer(out_);
    const http::AsioStream::Buffers buffers(&all, 1);
    const auto [write_error, written] = co_await stream_->async_write(
        buffers, [] {}, as_values);
    out_.clear();
    std::string problem = write_error ? write_error.message() : std::string();
    std::array<char, 16 * 1024> in;
    while (problem.empty() && replies.size() < expected_) {
        const auto [read_error, size] = co_await stream_->async_read_some(asio::buffer(in), as_values);
        if (read_error) {
            problem = read_error.message();
            break;
        }
        redisReaderFeed(reader_.get(), in.data(), size);
        for (void* raw = nullptr; replies.size() < expected_; raw = nullptr) {
            if (redisReaderGetReply(reader_.get(), &raw) != REDIS_OK) {
                problem = "sent what is no reply";
                break;
            }
            if (raw == nullptr) break;
            replies.emplace_back(static_cast<redisReply*>(raw));
        }
    }
    deadline_.cancel();
    expected_ = 0;
    if (!problem.empty()) {
        close();
        co_return fail(std::move(problem));
    }
    co_return replies;
}

}  // namespace spillway::quota
