#pragma once
/// The addresses of one host, looked up in the background and kept for a while. Internal to the http room.
///
/// One look-up at a time serves all who wait. A name that is in use is looked up anew now and then, and what
/// is known stays in use meanwhile, also when that fails or hangs: so nobody waits for a name server but the
/// first, and its hiccup stops no traffic. Thread rule: the Loop's.
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
    /// Who waits for the end of a look-up: its event is set. Leaves the list when it goes.
    struct Waiter
        : boost::intrusive::list_base_hook<boost::intrusive::link_mode<boost::intrusive::auto_unlink>> {
        explicit Waiter(Event& e) : event(e) {}
        Event& event;
        bool over = false;
    };

    Addresses(Loop& loop, std::string host, std::uint16_t port);

    /// What is known; looks up anew when it is old. Empty: add a waiter with when_known().
    const std::vector<Endpoint>& get(Mono now);
    void when_known(Waiter& waiter) { waiters_.push_back(waiter); }
    /// Why nothing is known.
    [[nodiscard]] const std::string& problem() const noexcept { return problem_; }
    /// The one that answered goes first.
    void prefer(const Endpoint& endpoint);
    /// None of them answered: the name may point elsewhere by now.
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

/// The addresses that a Loop knows, one for each host and port: all who go there share them, and a reload of
/// the configuration forgets none that are still in use. A tool of its Loop. Thread rule: the Loop's.
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
