#include "http/client.hpp"

#include <fmt/format.h>

#include <stdexcept>

#include "base/task.hpp"
#include "http/client_connection.hpp"

namespace spillway::http {

namespace {
using Connected = NetResult<std::shared_ptr<ClientConnection>>;
}  // namespace

void throw_exception_from_error(const NetError& e, const boost::source_location&) {
    throw std::runtime_error(e.message);
}

struct OriginState final : Pool, std::enable_shared_from_this<OriginState> {
    OriginState(Loop& l, OriginOptions o) : loop(l), options(std::move(o)), dialer(l, options) {}

    Task<Connected> open(ConnectCancel& cancel);
    void put_back(const std::shared_ptr<ClientConnection>& connection);
    void lost(ClientConnection& connection) noexcept override;

    Loop& loop;
    OriginOptions options;
    Dialer dialer;
    std::vector<std::shared_ptr<ClientConnection>> idle;  // the one used last at the back
};

Task<Connected> OriginState::open(ConnectCancel& cancel) {
    const auto self = shared_from_this();
    auto made = co_await dialer.connect(cancel);
    if (!made) co_return made.error();
    auto connection = std::make_shared<ClientConnection>(loop, self, options.max_head_bytes);
    std::error_code ec;
    connection->stream().open(std::move(*made), ec);
    if (ec) co_return NetError{NetError::Kind::local, ec.message()};
    co_return connection;
}

void OriginState::put_back(const std::shared_ptr<ClientConnection>& connection) {
    if (idle.size() >= options.max_idle || !connection->reusable()) {
        connection->close();
        return;
    }
    idle.push_back(connection);
    connection->park(options.idle_timeout);
}

void OriginState::lost(ClientConnection& connection) noexcept {
    connection.close();
    std::erase_if(idle, [&](const auto& c) { return c.get() == &connection; });
}

Origin::Origin(Loop& loop, OriginOptions options)
    : state_(std::make_shared<OriginState>(loop, std::move(options))) {}
Origin::~Origin() {
    if (!state_) return;
    for (const auto& connection : state_->idle) connection->close();
    state_->idle.clear();
    state_->options.max_idle = 0;  // what is still out closes when it is done
}

void Origin::look_up() {
    state_->dialer.look_up();
}

std::optional<Upstream> Origin::pooled() {
    auto& idle = state_->idle;
    if (idle.empty()) return std::nullopt;
    auto connection = std::move(idle.back());
    idle.pop_back();
    connection->unpark();
    return Upstream(std::move(connection), state_);
}

Task<NetResult<Upstream>> Origin::connect(bool fresh) {
    ConnectCancel never;
    co_return co_await connect(fresh, never);
}
Task<NetResult<Upstream>> Origin::connect(bool fresh, ConnectCancel& cancel) {
    const auto state = state_;
    if (cancel.cancelled()) co_return NetError{NetError::Kind::cancelled, "cancelled"};
    if (!fresh) {
        auto known = pooled();
        if (known) co_return std::move(*known);
    }
    auto opened = co_await state->open(cancel);
    if (!opened) co_return opened.error();
    co_return Upstream(std::move(*opened), state);
}
std::size_t Origin::idle() const noexcept {
    return state_->idle.size();
}
const OriginOptions& Origin::options() const noexcept {
    return state_->options;
}
Loop& Origin::loop() const noexcept {
    return state_->loop;
}

Upstream::Upstream(std::shared_ptr<ClientConnection> connection, std::weak_ptr<OriginState> origin)
    : connection_(std::move(connection)), origin_(std::move(origin)) {}
Upstream::Upstream(Upstream&&) noexcept = default;
Upstream& Upstream::operator=(Upstream&& other) noexcept {
    if (this != &other) {
        if (connection_) connection_->close();
        connection_ = std::move(other.connection_);
        origin_ = std::move(other.origin_);
    }
    return *this;
}
Upstream::~Upstream() {
    if (connection_) connection_->close();
}

bool Upstream::reused() const noexcept {
    return connection_->reused();
}
Task<NetResult<void>> Upstream::send(std::span<const std::string_view> pieces, Duration timeout) {
    return connection_->send(pieces, timeout);
}
bool Upstream::send_now(std::span<std::string_view> pieces) {
    return connection_->send_now(pieces);
}
Task<NetResult<const ResponseHead*>> Upstream::read_head(Duration timeout, bool head_request) {
    return connection_->read_head(timeout, head_request);
}
Task<NetResult<std::string_view>> Upstream::read_body(Duration timeout) {
    return connection_->read_body(timeout);
}
Task<NetResult<bool>> Upstream::pour(BodySink& sink, Duration timeout) {
    return connection_->pour(sink, timeout);
}
std::optional<std::string_view> Upstream::body_now() {
    return connection_->body_now();
}
void Upstream::done() {
    const auto connection = std::move(connection_);
    if (!connection) return;
    if (const auto origin = origin_.lock())
        origin->put_back(connection);
    else
        connection->close();
}
void Upstream::cancel() {
    if (connection_) connection_->cancel();
}

}  // namespace spillway::http
