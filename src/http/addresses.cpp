#include "http/addresses.hpp"

#include <algorithm>

#include "base/loop.hpp"

namespace spillway::http {

namespace {
constexpr Duration lifetime = std::chrono::seconds(20);
constexpr Duration pause_after_failure = std::chrono::seconds(1);
}  // namespace

Addresses::Addresses(Loop& loop, std::string host, std::uint16_t port)
    : loop_(loop), host_(std::move(host)), port_(port) {
    if (const auto address = Endpoint::parse(host_, port_)) {
        known_.push_back(*address);
        literal_ = true;
    }
}

const std::vector<Endpoint>& Addresses::get(Mono now) {
    if (now >= until_) look_up();
    return known_;
}

void Addresses::look_up() {
    if (literal_ || looking_) return;
    looking_ = true;
    loop_.tool<Resolver>().look_up(host_, port_, [self = shared_from_this()](Resolver::Answer answer) {
        self->found(std::move(answer));
    });
}

void Addresses::found(Resolver::Answer answer) {
    looking_ = false;
    problem_ = std::move(answer.problem);
    if (!answer.endpoints.empty()) {
        // The one that answered last stays first, if it is still one of them.
        const auto last = known_.empty() ? std::optional<Endpoint>() : std::optional(known_.front());
        known_ = std::move(answer.endpoints);
        if (last) prefer(*last);
        until_ = mono_now() + lifetime;
    } else if (!known_.empty()) {
        until_ = mono_now() + pause_after_failure;
    }
    while (!waiters_.empty()) {
        Waiter& waiter = waiters_.front();
        waiters_.pop_front();
        waiter.over = true;
        waiter.event.set_later();
    }
}

void Addresses::prefer(const Endpoint& endpoint) {
    const auto at = std::find(known_.begin(), known_.end(), endpoint);
    if (at != known_.end()) std::rotate(known_.begin(), at, at + 1);
}

void Addresses::distrust() noexcept {
    if (!literal_) until_ = {};
}

std::shared_ptr<Addresses> AddressBook::of(const std::string& host, std::uint16_t port) {
    std::erase_if(known_, [](const auto& entry) { return entry.second.expired(); });
    std::weak_ptr<Addresses>& known = known_[{host, port}];
    auto addresses = known.lock();
    if (!addresses) known = addresses = std::make_shared<Addresses>(loop_, host, port);
    return addresses;
}

}  // namespace spillway::http
