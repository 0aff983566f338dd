#include "http/addresses.hpp"

#include <algorithm>

namespace spillway::http {

namespace {
constexpr Duration lifetime = std::chrono::seconds(30);
constexpr Duration pause_after_failure = std::chrono::seconds(1);
}  // namespace

Addresses::Addresses(asio::io_context& context, std::string host, std::uint16_t port)
    : resolver_(context), host_(std::move(host)), port_(port) {
    boost::system::error_code ec;
    if (const auto address = asio::ip::make_address(host_, ec); !ec) {
        known_.emplace_back(address, port_);
        literal_ = true;
    }
}

const std::vector<tcp::endpoint>& Addresses::get(Mono now) {
    if (!literal_ && !looking_ && now >= until_) {
        looking_ = true;
        resolver_.async_resolve(host_, std::to_string(port_), tcp::resolver::numeric_service,
                                Completion<Addresses, &Addresses::found>(shared_from_this()));
    }
    return known_;
}

void Addresses::found(const boost::system::error_code& ec, const tcp::resolver::results_type& results) {
    looking_ = false;
    error_ = ec;
    if (!ec && !results.empty()) {
        known_.clear();
        for (const auto& entry : results) known_.push_back(entry.endpoint());
        until_ = mono_now() + lifetime;
    } else if (!known_.empty()) {
        until_ = mono_now() + pause_after_failure;
    }
    // A waiter that goes on may end others, or look up anew and wait again: take them one by one.
    decltype(waiters_) waiting;
    waiting.swap(waiters_);
    while (!waiting.empty()) {
        Waiter& waiter = waiting.front();
        waiting.pop_front();
        waiter.done.set();
    }
}

void Addresses::prefer(const tcp::endpoint& endpoint) {
    const auto at = std::find(known_.begin(), known_.end(), endpoint);
    if (at != known_.end()) std::rotate(known_.begin(), at, at + 1);
}

void Addresses::distrust() noexcept {
    if (!literal_) until_ = {};
}

void Addresses::abandon() {
    while (!waiters_.empty()) {
        Waiter& waiter = waiters_.front();
        waiters_.pop_front();
        waiter.done.abandon();
    }
}

}  // namespace spillway::http
