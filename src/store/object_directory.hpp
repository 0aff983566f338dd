#pragma once
/// Whose things are whose, and at which resource they are: an ObjectTable in front of a database.
///
/// A worker's Writer puts what it learns into memory at once, and into a list of its own that the directory's
/// thread writes to the database, at most `interval` later, all lists in one transaction. What cannot be
/// written is tried again; beyond a bound it is dropped and counted. What memory does not know is looked up
/// in the database by another thread. Without a database all is in memory, and what gives way is forgotten.
///
/// Ownership: outlives its Writers, and those who await look_up() (see close()). Thread rule: any thread but
/// where noted; a Writer from one thread at a time. Errors: look_up() says that the database could not be
/// asked.
#include <atomic>
#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <unordered_map>
#include <vector>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "base/task.hpp"
#include "base/thread_pool.hpp"
#include "store/object_store.hpp"
#include "store/object_table.hpp"

namespace spillway::store {

/// Whose something is, as a request knows it.
struct Owner {
    std::string_view client;
    std::string_view team;
    OwnerHash hash = 0;
};

class ObjectDirectory {
public:
    static constexpr std::size_t kEntries = std::size_t{1} << 17U;
    static constexpr std::chrono::milliseconds kInterval{100};
    using Log = std::function<void(const std::string&)>;
    /// What it means that the store cannot be read at the start.
    enum class Absent : std::uint8_t { error, tried_again };
    class Writer;
    struct Stats {
        std::uint64_t written = 0;  ///< changes
        std::uint64_t dropped = 0;
        std::uint64_t failures = 0;  ///< of writing or reading
    };

    explicit ObjectDirectory(std::size_t entries = kEntries) : table_(entries) {}
    ObjectDirectory(const ObjectDirectory&) = delete;
    ObjectDirectory& operator=(const ObjectDirectory&) = delete;
    ~ObjectDirectory() { close(); }

    /// Keeps what is learnt in a database, which is made when there is first something to keep. Once, before
    /// the Writers are made; errors are those of what is there already.
    [[nodiscard]] Result<void> persist(OpenObjects open, Absent absent, Log log);
    [[nodiscard]] bool persistent() const noexcept { return static_cast<bool>(open_); }
    /// look_up() never ends from here on. Before the loops of those who await it go.
    void stop_reading() { readers_.join(); }
    /// Writes what is left.
    void close();

    /// The number of a resource of that name, the same each time; 0 if there are too many.
    [[nodiscard]] ResourceNumber resource(std::string_view name);
    [[nodiscard]] std::string resource_name(ResourceNumber number) const;
    /// What memory knows.
    [[nodiscard]] std::optional<ObjectPlace> find(std::string_view id) const noexcept {
        return table_.find(id);
    }
    using Found = std::vector<std::optional<ObjectPlace>>;
    /// What the database knows, in the order of `ids`; remembered in memory. What was learnt before the call
    /// and is on its way there counts.
    [[nodiscard]] Task<Result<Found>> look_up(std::vector<std::string> ids);
    /// Where an owner keeps things, the first one first.
    [[nodiscard]] std::vector<ResourceNumber> places(OwnerHash owner) const;

    [[nodiscard]] Writer make_writer();
    /// Waits until what was learnt before the call is written, or one attempt at it failed.
    void sync();
    [[nodiscard]] Stats stats() const noexcept {
        return {written_.load(), dropped_.load(), failures_.load()};
    }

private:
    struct Slot;
    /// The store that the readers' thread has open; null: there is none yet.
    [[nodiscard]] Result<ObjectStore*> reader();
    [[nodiscard]] Error unread(Error why);
    using Rows = std::vector<std::optional<ObjectRow>>;
    [[nodiscard]] Result<Rows> rows_of(const std::vector<std::string>& ids);
    [[nodiscard]] Result<Found> read(const std::vector<std::string>& ids);
    [[nodiscard]] Result<void> read_places();
    void look_at_places();
    [[nodiscard]] bool add_place(OwnerHash owner, ResourceNumber resource);
    void write_on();
    [[nodiscard]] Result<void> write_slots();
    void told(const Result<void>& result);

    ObjectTable table_;
    mutable std::mutex names_mutex_;
    std::deque<std::string> names_;  ///< by number - 1
    mutable std::mutex places_mutex_;
    std::unordered_map<OwnerHash, std::vector<ResourceNumber>> places_;

    OpenObjects open_;
    Log log_;
    std::unique_ptr<ObjectStore> reader_;  ///< the readers' thread only, after persist()
    std::int64_t last_place_ = 0;          ///< as reader_
    std::atomic<bool> looking_{false};
    std::unique_ptr<ObjectStore> writer_;  ///< thread_ only
    std::mutex mutex_;
    std::condition_variable wake_;
    std::condition_variable done_;
    std::vector<std::shared_ptr<Slot>> slots_;
    std::uint64_t sync_wanted_ = 0;
    std::uint64_t sync_done_ = 0;
    bool stop_ = false;
    std::atomic<bool> failing_{false};      ///< set by thread_
    std::atomic<std::uint64_t> learnt_{0};  ///< changes that were written or wait
    std::atomic<std::uint64_t> written_{0};
    std::atomic<std::uint64_t> dropped_{0};
    std::atomic<std::uint64_t> failures_{0};
    std::thread thread_;
    ThreadPool readers_{1};
};

class ObjectDirectory::Writer {
public:
    Writer(Writer&&) noexcept = default;
    Writer& operator=(Writer&&) = delete;

    /// It was made just now, whatever is known of that id.
    void made(std::string_view id, ResourceNumber resource, const Owner& owner, std::optional<Wall> expires);
    /// It belongs to the owner unless it is known as somebody's.
    void found(std::string_view id, ResourceNumber resource, const Owner& owner);
    /// It is there, whoever made it: remembered in memory alone.
    void seen(std::string_view id, ResourceNumber resource);
    void gone(std::string_view id);
    /// The owner keeps things there.
    void keeps_at(const Owner& owner, ResourceNumber resource);

private:
    friend class ObjectDirectory;
    Writer(ObjectDirectory& directory, std::shared_ptr<Slot> slot)
        : directory_(&directory), slot_(std::move(slot)) {}

    ObjectDirectory* directory_;
    std::shared_ptr<Slot> slot_;
};

}  // namespace spillway::store
