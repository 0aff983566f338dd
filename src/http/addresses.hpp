#pragma once
/// The addresses of one host, looked up in the background and kept for a while. Internal to the http room.
///
/// One look-up at a time serves all waiters. A name in use is looked up again from time to time; the known
/// addresses stay in use meanwhile, also if that fails or hangs: so only the first request waits for a name
/// server, and its failure stops no traffic. Thread rule: the Loop's. Errors: problem().
#include <boost/intrusive/list.hpp>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.hpp"
#include "base/event.hpp"
#include "http/resolver.hpp"

namespace spillway::http {

class Addresses : public std::enable_shared_from_this<Addresses> {
public:
    /// Waits for the end of a look-up, which sets its event. Leaves the list on destruction.
    struct Waiter
        : boost::intrusive::list_base_hook<boost::intrusive::link_mode<boost::intrusive::auto_unlink>> {
        explicit Waiter(Event& e) : event(e) {}
        Event& event;
        bool over = false;
    };

    Addresses(Loop& loop, std::string host, std::uint16_t port);

    /// The known addresses; starts a look-up if they are old. If empty, add a waiter with when_known().
    const std::vector<Endpoint>& get(Mono now);
    void when_known(Waiter& waiter) { waiters_.push_back(waiter); }
    /// Why no address is known.
    [[nodiscard]] const std::string& problem() const noexcept { return problem_; }
    /// Puts the one that answered first.
    void prefer(const Endpoint& endpoint);
    /// Call when none answered: the name may have other addresses by now.
    void distrust() noexcept;

private:
    void look_up();
    void found(Resolver::Answer answer);

    Loop& loop_;
    std::string host_;
    std::uint16_t port_;
    std::vector<Endpoint> known_;
    std::string problem_;
    Mono until_{};
    bool literal_ = false;
    bool looking_ = false;
    boost::intrusive::list<Waiter, boost::intrusive::constant_time_size<false>> waiters_;
};

/// The addresses that a Loop knows, by host and port: all connections to a host share them, and a reload
/// keeps those still in use. Ownership: a tool of its Loop. Thread rule: the Loop's.
class AddressBook {
public:
    explicit AddressBook(Loop& loop) noexcept : loop_(loop) {}
    AddressBook(const AddressBook&) = delete;
    AddressBook& operator=(const AddressBook&) = delete;

    [[nodiscard]] std::shared_ptr<Addresses> of(const std::string& host, std::uint16_t port);

private:
    Loop& loop_;
    std::map<std::pair<std::string, std::uint16_t>, std::weak_ptr<Addresses>> known_;
};

}  // namespace spillway::http
