// `spillway backup` and `spillway restore`: the ledger, the store and the chat's conversations, while they
// are in use.
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <memory>
#include <string>
#include <system_error>
#include <vector>

#include "app/default_store.hpp"
#include "app/stack_command.hpp"
#include "app/verbs.hpp"
#include "base/json.hpp"
#include "config/load.hpp"
#include "store/named_store.hpp"
#include "telemetry/sqlite_copy.hpp"

namespace spillway::app {
namespace {

namespace fs = std::filesystem;

struct KeptOptions {
    std::shared_ptr<stack::Common> stack;
    std::string config;
    std::string ledger;
    std::string chat;
    std::string store;
    std::string folder;
    bool json = false;
};

/// A file that is kept, and what it is called in a backup.
struct Kept {
    std::string_view what;
    std::string_view name;
    std::string_view table;
    std::string path;
    bool may_lack = false;  ///< nobody named it: there may be none yet
};

struct Done {
    std::string_view what;
    std::string from;
    std::string to;
    std::uint64_t bytes = 0;
};

int wrong(std::string_view verb, std::string_view message, int status) {
    fmt::print(stderr, "spillway {}: {}\n", verb, message);
    return status;
}

/// A PostgreSQL store is its server's to copy.
constexpr std::string_view kNotOurs =
    "the store {} is in PostgreSQL: `pg_dump --table='spillway_*'` copies it, while it is in use, and `psql` "
    "puts it back";

/// Which files are meant; told of none, those of the local stack.
Result<std::vector<Kept>> kept_files(std::string_view verb, const KeptOptions& options) {
    Kept ledger{"ledger", "ledger.db", "usage", options.ledger};
    Kept chat{"chat", "chat.db", "conversations", options.chat};
    Kept store{"store", "store.db", "objects", options.store};
    const auto named = [&] { return !ledger.path.empty() || !chat.path.empty() || !store.path.empty(); };
    if (!options.config.empty()) {
        const auto loaded = config::load_gateway_from(options.config, config::process_sources());
        if (!loaded.ok()) return fail(config::to_string(loaded.problems));
        const config::StoreConfig& kept = loaded.value->store;
        if (ledger.path.empty()) ledger.path = loaded.value->ledger;
        if (kept.shared() && store.path.empty()) {
            const std::string told = fmt::format(kNotOurs, store::name_of(kept));
            if (!named()) return fail(told);
            fmt::print(stderr, "spillway {}: {}\n", verb, told);
        } else if (store.path.empty() && (kept.path.empty() || kept.enabled())) {
            store.path = kept.enabled() ? kept.path : default_store(options.config);
            store.may_lack = true;
        }
        if (!named()) return fail(options.config + ": has neither a ledger nor a store");
    }
    if (!named()) {
        const auto folder = stack::folder_of(*options.stack);
        if (!folder) return folder.error();
        ledger.path = folder->file(stack::ledger_name);
        chat.path = folder->file(stack::chat_name);
        store.path = folder->file(stack::store_name);
        std::error_code error;
        if (!fs::exists(ledger.path, error) && !fs::exists(chat.path, error))
            return fail("which? Say --config, --ledger or --chat; there is no local stack " +
                        options.stack->name);
        ledger.may_lack = chat.may_lack = store.may_lack = true;
    }
    std::vector<Kept> out;
    for (auto* one : {&ledger, &chat, &store})
        if (!one->path.empty()) out.push_back(*one);
    return out;
}

void tell(const std::vector<Done>& all, bool json) {
    if (!json) {
        for (const auto& d : all) fmt::print("{}: {} -> {} ({} bytes)\n", d.what, d.from, d.to, d.bytes);
        return;
    }
    JsonWriter w;
    w.open().key("files").open_list();
    for (const auto& d : all)
        w.open()
            .field("what", d.what)
            .field("from", d.from)
            .field("to", d.to)
            .field("bytes", d.bytes)
            .close();
    w.close_list().close();
    fmt::print("{}\n", w.take());
}

int backup(const KeptOptions& options) {
    const auto files = kept_files("backup", options);
    if (!files) return wrong("backup", files.error().message, 2);
    std::error_code error;
    fs::create_directories(options.folder, error);
    if (error) return wrong("backup", fmt::format("{}: {}", options.folder, error.message()), 1);
    std::vector<Done> done;
    for (const auto& file : *files) {
        if (file.may_lack && !fs::exists(file.path, error)) continue;
        const std::string to = fs::path(options.folder) / file.name;
        if (fs::exists(file.path, error))
            if (auto sound = telemetry::check_database(file.path, file.table); !sound)
                return wrong("backup", sound.error().message, 1);
        const auto bytes = telemetry::copy_database(file.path, to);
        if (!bytes) return wrong("backup", bytes.error().message, 1);
        done.push_back({file.what, file.path, to, *bytes});
    }
    if (done.empty()) return wrong("backup", "there is nothing to copy yet", 1);
    tell(done, options.json);
    return 0;
}

Result<void> may_put_back(const Kept& file, const std::string& from) {
    if (auto sound = telemetry::check_database(from, file.table); !sound) return sound.error();
    if (telemetry::is_in_use(file.path))
        return fail(fmt::format("{} is in use: stop the {} first", file.path,
                                file.what == "chat" ? "chat app" : "gateway"));
    return {};
}

/// Whoever could write the old file, or owns its folder, can write the new one.
Result<void> give_back(const std::string& fresh, const std::string& path) {
    struct stat was {};
    const bool known = ::stat(path.c_str(), &was) == 0;
    const std::string parent = fs::path(path).parent_path();
    if (!known && ::stat(parent.empty() ? "." : parent.c_str(), &was) != 0) return {};
    const bool failed = (known && ::chmod(fresh.c_str(), was.st_mode & 0777U) != 0) ||
                        (::geteuid() == 0 && ::chown(fresh.c_str(), was.st_uid, was.st_gid) != 0);
    if (failed) return fail(fmt::format("{}: cannot be given the owner and mode of {}", fresh, path));
    return {};
}

/// What was there stays beside it, lest a wrong restore loses it.
Result<Done> put_back(const Kept& file, const std::string& from) {
    std::error_code error;
    if (const auto parent = fs::path(file.path).parent_path(); !parent.empty())
        fs::create_directories(parent, error);
    const std::string fresh = file.path + ".restored";
    const auto bytes = telemetry::copy_database(from, fresh);
    if (!bytes) return bytes.error();
    if (auto given = give_back(fresh, file.path); !given) return given.error();
    fs::remove(file.path + "-shm", error);
    std::string aside = file.path + ".before-restore";
    for (int n = 2; fs::exists(aside, error); ++n) aside = fmt::format("{}.before-restore-{}", file.path, n);
    for (const char* end : {"", "-wal"}) fs::rename(file.path + end, aside + end, error);  // if it is there
    error.clear();
    fs::rename(fresh, file.path, error);
    if (error) return fail(fmt::format("{}: {}", file.path, error.message()));
    return Done{file.what, from, file.path, *bytes};
}

int restore(const KeptOptions& options) {
    const auto files = kept_files("restore", options);
    if (!files) return wrong("restore", files.error().message, 2);
    std::vector<Done> done;
    std::error_code error;
    for (const auto& file : *files) {  // what stops one stops all, before any is replaced
        const std::string from = fs::path(options.folder) / file.name;
        if (fs::exists(from, error)) {
            if (auto may = may_put_back(file, from); !may) return wrong("restore", may.error().message, 1);
        } else if (!file.may_lack && fs::exists(options.folder, error)) {
            return wrong("restore", from + ": is not in this backup", 1);
        }
    }
    for (const auto& file : *files) {
        const std::string from = fs::path(options.folder) / file.name;
        if (!fs::exists(from, error)) continue;
        auto one = put_back(file, from);
        if (!one) return wrong("restore", one.error().message, 1);
        done.push_back(std::move(*one));
    }
    if (done.empty())
        return wrong("restore", fmt::format("{}: has none of the files that are meant", options.folder), 1);
    tell(done, options.json);
    return 0;
}

std::shared_ptr<KeptOptions> add_options(CLI::App& verb, const char* folder, const char* folder_help) {
    auto o = std::make_shared<KeptOptions>();
    o->stack = stack::add_common(verb);
    verb.add_option("-c,--config", o->config, "The gateway's file: of its ledger and its store")
        ->type_name("FILE");
    verb.add_option("-l,--ledger", o->ledger, "The ledger's file")->type_name("FILE");
    verb.add_option("--chat", o->chat, "The chat app's file")->type_name("FILE");
    verb.add_option("--store", o->store, "The store's file")->type_name("FILE");
    verb.add_option(folder, o->folder, folder_help)->required()->type_name("FOLDER");
    verb.add_flag("--json", o->json, "Say as JSON what was done");
    return o;
}

}  // namespace

void add_backup(CLI::App& app, Run& run) {
    auto* verb = app.add_subcommand(
        "backup", "Copy the ledger, the store and the chat's conversations, also while in use");
    auto o = add_options(*verb, "--to", "Where the copies go; those there are replaced");
    verb->callback([o, &run] { run = [o] { return backup(*o); }; });
}

void add_restore(CLI::App& app, Run& run) {
    auto* verb =
        app.add_subcommand("restore", "Put copies of `backup` back, while gateway and chat app are stopped");
    auto o = add_options(*verb, "--from", "Where the copies are");
    verb->callback([o, &run] { run = [o] { return restore(*o); }; });
}

}  // namespace spillway::app
