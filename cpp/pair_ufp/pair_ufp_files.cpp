// Files of pair style ufp: reading them, and what a restart file knows of them.
#include "pair_ufp.h"

#include "shared_text.h"

#include "core/common/sha256.h"
#include "core/density/candidates.h"
#include "core/density/kernel.h"
#include "core/density/ufd_file.h"
#include "core/ufp/candidates.h"
#include "core/ufp/kernel.h"
#include "core/ufp/potential.h"

#include "atom.h"
#include "comm.h"
#include "error.h"
#include "update.h"
#include "utils.h"

#include <algorithm>

using namespace LAMMPS_NS;

namespace {

constexpr int restart_magic = 0x75667031; // "ufp1"
constexpr int longest_text = 100000;      // of a path in a restart file

void write_int(FILE *file, int value) {
  fwrite(&value, sizeof value, 1, file);
}

void write_text(FILE *file, const std::string &text) {
  write_int(file, static_cast<int>(text.size()));
  fwrite(text.data(), 1, text.size(), file);
}

/// Reads values of a restart file on rank 0 and gives them to all.
class RestartReader {
public:
  RestartReader(LAMMPS *lmp, FILE *file) : lmp_(lmp), file_(file) {}

  int integer() {
    int value = 0;
    read(&value, sizeof value);
    return value;
  }

  std::string text() {
    const int size = integer();
    if (size < 0 || size > longest_text) fail();
    std::string value(size, ' ');
    read(value.data(), value.size());
    return value;
  }

  [[noreturn]] void fail() {
    lmp_->error->all(FLERR, "Pair style ufp: the restart file is damaged, or of another version of "
                            "this pair style");
  }

private:
  void read(void *to, std::size_t size) {
    int good = 1;
    if (lmp_->comm->me == 0 && size > 0) good = fread(to, 1, size, file_) == size;
    MPI_Bcast(&good, 1, MPI_INT, 0, lmp_->world);
    if (!good) fail();
    MPI_Bcast(to, static_cast<int>(size), MPI_CHAR, 0, lmp_->world);
  }

  LAMMPS *lmp_;
  FILE *file_;
};

/// The names and first digits of the hashes, for messages.
std::string describe(const PotentialIdentity &identity) {
  std::string out;
  for (std::size_t f = 0; f < identity.paths.size(); ++f)
    out += (f > 0 ? ", " : "") + identity.paths[f] + " (SHA-256 " +
           identity.hashes[f].substr(0, 12) + "...)";
  return out + ", body order " + std::to_string(identity.order);
}

} // namespace

/// Read, parse and build; the same message, or an empty string, on all ranks. Collective.
std::string PairUFP::load(const std::vector<std::string> &paths) {
  std::vector<std::string> texts(paths.size());
  std::string message;
  for (std::size_t f = 0; f < paths.size() && message.empty(); ++f)
    message = read_text_everywhere(lmp, paths[f], "potential file", texts[f]);
  if (message.empty()) message = build_potential(paths, texts);
  if (failed_anywhere(lmp, !message.empty()))
    return message.empty() ? "the potential could not be set up on another rank"
                           : printable(message);
  restart_problem_.clear();
  if (comm->me == 0)
    utils::logmesg(lmp, "Pair style ufp: potential {}, {} element(s), cutoff {:.6g}, {} loops\n",
                   describe(identity_), nelements, potential_->max_cutoff(),
                   lpsnmr::simd::name(kernel_->instructions()));
  if (comm->me == 0) warn_of_missing_density(paths, texts);
  return "";
}

/// Parse and build the tables; return an error message or an empty string. Throws nothing.
std::string PairUFP::build_potential(const std::vector<std::string> &paths,
                                     const std::vector<std::string> &texts) {
  try {
    PotentialIdentity identity{body_order_, paths, {}};
    for (const std::string &text : texts) identity.hashes.push_back(lpsnmr::sha256(text));
    const std::string changed = check_identity(identity);
    if (!changed.empty()) return changed;
    std::vector<std::string> base_paths, base_texts; // without density terms
    for (std::size_t f = 0; f < texts.size(); ++f)
      if (!lpsnmr::density::is_ufd(texts[f])) {
        base_paths.push_back(paths[f]);
        base_texts.push_back(texts[f]);
      }
    if (base_texts.empty())
      return paths[0] + ": density terms alone are no potential; give their .uf3 file too";
    const lpsnmr::ufp::Uf3File file = lpsnmr::ufp::parse_uf3_files(base_texts, base_paths);
    if (file.units != update->unit_style)
      return file.name + ": the potential is in units " + file.units +
             ", the simulation in units " + update->unit_style;
    const std::vector<std::string> names(elements, elements + nelements);
    // density terms may stand beside pairs alone
    const bool pairs_alone = file.triples.empty() && base_texts.size() < texts.size();
    const auto order = static_cast<lpsnmr::ufp::BodyOrder>(pairs_alone ? 2 : body_order_);
    auto potential = std::make_unique<lpsnmr::ufp::Potential>(file, names, order);
    const std::string refused = build_density(paths, texts, identity);
    if (!refused.empty()) return refused;
    kernel_ = std::make_unique<lpsnmr::ufp::Kernel>(*potential);
    potential_ = std::move(potential);
    candidates_ = std::make_unique<lpsnmr::ufp::CandidateLists>();
    list_builds_ = -1;
    identity_ = std::move(identity);
    return "";
  } catch (const std::exception &problem) {
    return problem.what();
  }
}

/// Compare with what the restart file was written with; return a message when it differs.
std::string PairUFP::check_identity(const PotentialIdentity &found) const {
  if (expected_.hashes.empty()) return "";
  std::vector<std::string> wanted = expected_.hashes, given = found.hashes;
  std::sort(wanted.begin(), wanted.end());
  std::sort(given.begin(), given.end());
  if (wanted == given && expected_.order == found.order) return "";
  return "the restart file was written with the potential " + describe(expected_) + "; now it is " +
         describe(found) +
         ". To go on with another potential, give pair_style none before pair_style ufp";
}

void PairUFP::write_restart_settings(FILE *file) {
  write_int(file, restart_magic);
  write_int(file, body_order_);
  write_int(file, static_cast<int>(identity_.paths.size()));
  for (std::size_t f = 0; f < identity_.paths.size(); ++f) {
    write_text(file, identity_.paths[f]);
    write_text(file, identity_.hashes[f]);
  }
}

void PairUFP::read_restart_settings(FILE *file) {
  RestartReader reader(lmp, file);
  if (reader.integer() != restart_magic) reader.fail();
  body_order_ = reader.integer();
  const int count = reader.integer();
  if ((body_order_ != 2 && body_order_ != 3) || count < 0 || count > longest_text) reader.fail();
  single_enable = body_order_ == 2;
  expected_ = PotentialIdentity{body_order_, {}, {}};
  for (int f = 0; f < count; ++f) {
    expected_.paths.push_back(reader.text());
    expected_.hashes.push_back(reader.text());
    if (expected_.hashes.back().size() != 64) reader.fail();
  }
}

void PairUFP::write_restart(FILE *file) {
  write_restart_settings(file);
  write_int(file, atom->ntypes);
  for (int type = 1; type <= atom->ntypes; ++type) {
    const bool known = allocated && !identity_.paths.empty() && map[type] >= 0;
    write_text(file, known ? elements[map[type]] : "NULL");
  }
}

/// Take up the potential again from the same files; what stands in the way is said by init_style().
void PairUFP::read_restart(FILE *file) {
  read_restart_settings(file);
  RestartReader reader(lmp, file);
  if (reader.integer() != atom->ntypes) reader.fail();
  std::vector<std::string> names;
  for (int type = 1; type <= atom->ntypes; ++type) names.push_back(reader.text());
  if (!allocated) allocate();
  if (expected_.paths.empty()) return;
  std::vector<char *> words;
  for (std::string &name : names) words.push_back(name.data());
  map_element2type(atom->ntypes, words.data());
  restart_problem_ = load(expected_.paths);
}
