#pragma once
/// What a Loop runs in its next turn. It leaves the loop's list when it goes.
#include <boost/intrusive/list.hpp>

namespace spillway {

class Runnable
    : public boost::intrusive::list_base_hook<boost::intrusive::link_mode<boost::intrusive::auto_unlink>> {
public:
    Runnable() = default;
    Runnable(const Runnable&) = delete;
    Runnable& operator=(const Runnable&) = delete;

    /// Off the list by then; may destroy itself.
    virtual void run() = 0;
    /// The loop goes, and it will not be run.
    virtual void discard() noexcept {}

protected:
    ~Runnable() = default;
};

using RunList = boost::intrusive::list<Runnable, boost::intrusive::constant_time_size<false>>;

}  // namespace spillway
