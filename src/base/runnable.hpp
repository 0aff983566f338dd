#pragma once
/// Something that a Loop runs in its next turn. Leaves the loop's list on destruction.
#include <boost/intrusive/list.hpp>

namespace spillway {

class Runnable
    : public boost::intrusive::list_base_hook<boost::intrusive::link_mode<boost::intrusive::auto_unlink>> {
public:
    Runnable() = default;
    Runnable(const Runnable&) = delete;
    Runnable& operator=(const Runnable&) = delete;

    /// Called once it is off the list; may destroy itself.
    virtual void run() = 0;
    /// Called instead of run() when the loop is destroyed.
    virtual void discard() noexcept {}

protected:
    ~Runnable() = default;
};

using RunList = boost::intrusive::list<Runnable, boost::intrusive::constant_time_size<false>>;

}  // namespace spillway
