#pragma once
// Which process of a job this one is, as launchers tell it. Free of libtorch.
#include <cstdint>
#include <string>

namespace fresco::training {

struct JobPlace {
  int rank = 0;        // 0 .. size - 1
  int size = 1;        // processes of the job
  int local_rank = 0;  // among those of this machine: the number of its GPU
  std::string host;    // where process 0 (or the launcher) listens
  uint16_t port = 29500;
  bool launcher_store = false;  // the launcher itself listens there, as torchrun's does
  int attempt = 0;              // how often the launcher has started the job anew

  bool loopback() const;  // all processes are on this machine
};

/// RANK, WORLD_SIZE, LOCAL_RANK, MASTER_ADDR and MASTER_PORT as torchrun, Kubernetes' PyTorchJob and most scripts set
/// them; where RANK is not set, what Slurm's srun (SLURM_PROCID, SLURM_NTASKS, SLURM_LOCALID) or Open MPI's mpirun
/// (OMPI_COMM_WORLD_RANK, ..._SIZE, ..._LOCAL_RANK) tells of more than one process. None of them: one process. Errors:
/// InputError when they contradict each other or something is missing.
JobPlace job_place_from_environment();

}  // namespace fresco::training
