#include "quota/redis_link.hpp"

#include <array>

#include "base/loop.hpp"
#include "base/task.hpp"

namespace spillway::quota {
namespace {

http::DialOptions dial_options(const config::RedisConfig& config) {
    http::DialOptions out;
    out.host = config.host;
    out.port = config.port;
    out.tls = config.tls;
    out.tls_verify = config.verify;
    out.tls_ca_file = config.ca_file;
    out.connect_timeout = config.timeout;
    return out;
}

/// hiredis's own functions, but for arrays; the type of their length differs between its versions.
const redisReplyObjectFunctions& own_functions() {
    static const redisReplyObjectFunctions own = *RedisReader(redisReaderCreate())->fn;
    return own;
}

template <class Create>
struct Bounded;
template <class Length>
struct Bounded<void* (*)(const redisReadTask*, Length)> {
    static constexpr Length most = 100'000;
    static void* create(const redisReadTask* task, Length length) {
        return length > most ? nullptr : own_functions().createArray(task, length);
    }
};

redisReplyObjectFunctions bounded_functions() {
    redisReplyObjectFunctions out = own_functions();
    out.createArray = Bounded<decltype(out.createArray)>::create;
    return out;
}

}  // namespace

RedisReader make_redis_reader() {
    static redisReplyObjectFunctions functions = bounded_functions();
    RedisReader reader(redisReaderCreate());
    if (reader) reader->fn = &functions;
    return reader;
}

RedisLink::RedisLink(Loop& loop, const config::RedisConfig& config)
    : loop_(loop), config_(config), deadline_([this] { abort(); }), reader_(make_redis_reader()) {}

void RedisLink::close() noexcept {
    if (stream_) stream_->close();
    stream_.reset();
    out_.clear();
    expected_ = 0;
}

void RedisLink::abort() noexcept {
    if (dialing_ != nullptr) dialing_->cancel();
    if (stream_) stream_->close();
}

/// From now on the operations under way have the configured time together.
void RedisLink::watch() {
    loop_.wheel().arm(deadline_, config_.timeout);
}

Task<Result<void>> RedisLink::connect() {
    // A new one each time: a failover may have moved the name, or the server.
    http::Dialer dialer(loop_, dial_options(config_));
    http::Dial dial;
    dialing_ = &dial;
    auto made = co_await dialer.connect(dial);
    dialing_ = nullptr;
    if (!made) co_return fail(made.error().message);
    stream_.emplace(loop_);
    if (const auto ec = stream_->open(std::move(*made))) co_return fail(ec.message());
    co_return Result<void>();
}

Task<Result<void>> RedisLink::greet() {
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

Task<Result<void>> RedisLink::open() {
    close();
    reader_ = make_redis_reader();
    auto done = co_await connect();
    if (done) done = co_await greet();
    deadline_.disarm();
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

Task<Result<std::vector<RedisReply>>> RedisLink::exchange() {
    std::vector<RedisReply> replies;
    if (!stream_) co_return fail("is not connected");
    replies.reserve(expected_);
    watch();
    const std::error_code write_error = co_await stream_->write(out_);
    out_.clear();
    std::string problem = write_error ? write_error.message() : std::string();
    std::array<char, 16 * 1024> in;
    while (problem.empty() && replies.size() < expected_) {
        const auto [read_error, size] = co_await stream_->read_some(in);
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
    deadline_.disarm();
    expected_ = 0;
    if (!problem.empty()) {
        close();
        co_return fail(std::move(problem));
    }
    co_return replies;
}

}  // namespace spillway::quota
