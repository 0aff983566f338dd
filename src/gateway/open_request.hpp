#pragma once
/// What a worker ends when the process has to end before the answer does.
///
/// Ownership: leaves the worker's list when it goes. Thread rule: its worker's thread.
#include <boost/intrusive/list.hpp>

namespace spillway::gateway {

class OpenRequest
    : public boost::intrusive::list_base_hook<boost::intrusive::link_mode<boost::intrusive::auto_unlink>> {
public:
    OpenRequest() = default;
    OpenRequest(const OpenRequest&) = delete;
    OpenRequest& operator=(const OpenRequest&) = delete;

    /// Ends what it waits for; it then tells its client that the gateway ends, and leaves its record.
    virtual void shut_down() noexcept = 0;

protected:
    ~OpenRequest() = default;
};

using OpenRequests = boost::intrusive::list<OpenRequest, boost::intrusive::constant_time_size<false>>;

}  // namespace spillway::gateway
