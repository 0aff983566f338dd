#pragma once
/// A request that its worker ends if the process must stop before the answer's end.
///
/// Ownership: leaves the worker's list on destruction. Thread rule: its worker's thread.
#include <boost/intrusive/list.hpp>

namespace spillway::gateway {

class OpenRequest
    : public boost::intrusive::list_base_hook<boost::intrusive::link_mode<boost::intrusive::auto_unlink>> {
public:
    OpenRequest() = default;
    OpenRequest(const OpenRequest&) = delete;
    OpenRequest& operator=(const OpenRequest&) = delete;

    /// Ends its wait; it then reports the shutdown to its client, and is recorded.
    virtual void shut_down() noexcept = 0;

protected:
    ~OpenRequest() = default;
};

using OpenRequests = boost::intrusive::list<OpenRequest, boost::intrusive::constant_time_size<false>>;

}  // namespace spillway::gateway
