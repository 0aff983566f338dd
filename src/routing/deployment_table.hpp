#pragma once
/// Interns the deployment names that clients ask for, at most `capacity` of them: names come from clients and
/// must not make memory grow. The empty name is number 0; names beyond the bound, or longer than
/// max_name_length, share number overflow().
///
/// Thread rule: any thread. Looking up a known name takes no lock; a new name takes one, at most `capacity`
/// times in the process's life. Errors: none.
#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace spillway::routing {

class DeploymentTable {
public:
    static constexpr std::size_t max_name_length = 256;
    /// Called under the lock before a new name can be found by others: number and name.
    using OnNew = std::function<void(std::uint32_t, std::string_view)>;

    DeploymentTable(std::uint32_t capacity, OnNew on_new);

    [[nodiscard]] std::uint32_t intern(std::string_view name);
    [[nodiscard]] std::uint32_t overflow() const noexcept { return capacity_; }
    /// Numbers given so far, without overflow.
    [[nodiscard]] std::uint32_t size() const noexcept { return size_.load(std::memory_order_acquire); }

private:
    struct Entry {
        std::string name;
        std::uint32_t number = 0;
    };
    [[nodiscard]] const Entry* find(std::string_view name, std::size_t& place) const noexcept;

    std::uint32_t capacity_;
    OnNew on_new_;
    /// Open addressing; at most half full, entries never leave.
    std::vector<std::atomic<const Entry*>> places_;
    std::atomic<std::uint32_t> size_{0};
    std::mutex mutex_;
    std::vector<std::unique_ptr<const Entry>> entries_;
};

}  // namespace spillway::routing
