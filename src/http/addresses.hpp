#pragma once
/// The addresses of one host, looked up in the background and kept for a while. Internal to the http room.
///
/// One look-up at a time serves all who wait. Addresses out of date are used while they are looked up anew,
/// and when that fails, so that a name server's hiccup stops no traffic.
/// Thread rule: the io_context's one thread (the look-up itself runs on Asio's resolver thread).
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/intrusive/list.hpp>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "http/event.hpp"

namespace spillway::http {

namespace asio = boost::asio;
using tcp = asio::ip::tcp;

class Addresses : public std::enable_shared_from_this<Addresses> {
public:
    /// One who waits for the end of a look-up; leaves the list when it goes.
    struct Waiter
        : boost::intrusive::list_base_hook<boost::intrusive::link_mode<boost::intrusive::auto_unlink>> {
        Event done;
    };

    Addresses(asio::io_context& context, std::string host, std::uint16_t port);

    /// What is known; looks up anew when it is out of date. Empty: add a waiter with when_known().
    const std::vector<tcp::endpoint>& get(Mono now);
    void when_known(Waiter& waiter) { waiters_.push_back(waiter); }
    /// Why nothing is known.
    [[nodiscard]] const boost::system::error_code& error() const noexcept { return error_; }
    /// The one that answered goes first.
    void prefer(const tcp::endpoint& endpoint);
    /// None of them answered: the name may point elsewhere by now.
    void distrust() noexcept;
    /// The io_context goes down during a look-up.
    void abandon();

private:
    void found(const boost::system::error_code& ec, const tcp::resolver::results_type& results);

    tcp::resolver resolver_;
    std::string host_;
    std::uint16_t port_;
    std::vector<tcp::endpoint> known_;
    boost::system::error_code error_;
    Mono until_{};
    bool literal_ = false;
    bool looking_ = false;
    boost::intrusive::list<Waiter, boost::intrusive::constant_time_size<false>> waiters_;
};

}  // namespace spillway::http
