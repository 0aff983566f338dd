#pragma once
/// Keeps the KeyRing in step with the store: looks five times a second whether a key has changed, by this
/// process or another, builds a new ring then, and hands it to the workers. A store that is slow, away or
/// cannot be written leaves the ring as it is: keys that are known go on. What operators have told backends
/// to be lies in the same store, and is looked at with the keys.
///
/// Ownership: owned by the Gateway; the quotas must outlive it. `publish` and `follow` are called from its
/// thread, and by read_first(). Thread rule: any thread may ask; the calls that change keys wait for the
/// disk, so they are for a thread that may (Admin has one). Errors: what the store, or a request, cannot do,
/// in words.
#include <atomic>
#include <condition_variable>
#include <functional>
#include <future>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <string_view>
#include <thread>
#include <unordered_map>
#include <vector>

#include "base/result.hpp"
#include "gateway/key_ring.hpp"
#include "quota/client_quota.hpp"
#include "store/key_store.hpp"

namespace spillway::gateway {

class KeyKeeper {
public:
    /// Hands the ring to all workers. The future, if there is one, is ready when all of them use it.
    using Publish = std::function<std::future<void>(const std::shared_ptr<const KeyRing>&)>;
    using Log = std::function<void(const std::string&)>;
    /// Takes the modes that have changed in the store.
    using Follow = std::function<void(const std::vector<store::ModeRow>&)>;

    KeyKeeper(store::OpenKeys open, quota::ClientQuotas& quotas, Publish publish, Log log,
              Follow follow = {});
    KeyKeeper(const KeyKeeper&) = delete;
    KeyKeeper& operator=(const KeyKeeper&) = delete;
    ~KeyKeeper();

    /// Reads what there is, before anybody is served: an error is the store's. Then start().
    [[nodiscard]] Result<void> read_first();
    /// Goes on although it could not be read: until it can, nobody is served without a key (there may be
    /// some).
    void go_on_unread();
    void start();

    /// All keys, or one client's, the oldest first.
    [[nodiscard]] Result<std::vector<store::KeyRow>> list();
    [[nodiscard]] Result<std::optional<store::KeyRow>> find(std::string_view id);
    /// What MACs are made with.
    [[nodiscard]] Result<store::Mac> secret();
    /// Stores them; returns when the workers use them.
    [[nodiscard]] Result<void> put(const std::vector<store::KeyRow>& rows);
    /// Keeps what the backend is told to be, which is in use here already.
    [[nodiscard]] Result<void> put_mode(const store::ModeRow& row);

private:
    using Change = std::function<Result<void>(store::KeyStore&)>;

    void run();
    [[nodiscard]] Result<void> look();
    void merge(const std::vector<store::KeyRow>& rows);
    /// Null: its settings cannot be read.
    [[nodiscard]] std::shared_ptr<MadeKey> key_of(const store::KeyRow& row);
    [[nodiscard]] std::shared_ptr<const KeyRing> build() const;
    void publish(std::shared_ptr<const KeyRing> ring);
    /// Makes it in the store; returns when the watching thread has seen it.
    [[nodiscard]] Result<void> change(const Change& change);
    /// The store for changes; under store_mutex_.
    [[nodiscard]] Result<store::KeyStore*> opened();

    struct ById {
        using is_transparent = void;
        static std::string_view id(const std::shared_ptr<MadeKey>& key) noexcept { return key->id; }
        static std::string_view id(std::string_view id) noexcept { return id; }
        bool operator()(const auto& a, const auto& b) const noexcept { return id(a) < id(b); }
    };

    struct Known {
        std::set<std::shared_ptr<MadeKey>, ById> in_use;
        std::unordered_map<std::string, std::uint32_t> numbers;  ///< of clients
        bool any_made = false;
    };

    struct Told {
        Publish publish;
        Log log;
        Follow follow;
    };

    struct Published {
        std::shared_ptr<const KeyRing> ring;
        std::future<void> used;  ///< by all workers
    };

    const store::OpenKeys open_;
    quota::ClientQuotas& quotas_;
    const Told told_;

    // Of the watching thread, and of read_first() before it:
    std::unique_ptr<store::KeyStore> watched_;
    store::Mac secret_{};
    std::int64_t version_ = 0;
    Known known_;
    bool failing_ = false;
    /// Rings that a worker may still use go here, not there: freeing one takes time.
    std::vector<Published> rings_;

    std::mutex store_mutex_;
    std::unique_ptr<store::KeyStore> store_;  ///< under store_mutex_

    std::mutex mutex_;
    std::condition_variable wake_;
    std::condition_variable done_;
    std::uint64_t wanted_ = 0;
    std::uint64_t looked_ = 0;
    bool stop_ = false;
    std::thread thread_;
};

}  // namespace spillway::gateway
