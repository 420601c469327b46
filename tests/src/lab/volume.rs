//! File systems that lose what was not synced. Each is ext4 in a sparse file on a loop device. A power cut shuts the file
//! system down without writing its journal (`EXT4_IOC_SHUTDOWN`), so that what only the page cache has is gone, and what was
//! synced stays: as with a real disk, and without a device mapper.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::command::{run, wait_until};
use super::error::{LabError, Result};

/// What is unmounted below a folder is unmounted in all mount namespaces that were copied from the machine's (`ip netns exec`
/// makes one): while one has it, a file system does not come free.
pub(crate) fn share(folder: &Path) -> Result {
    let folder = folder.display().to_string();
    run("mount", &["--bind", &folder, &folder])?;
    run("mount", &["--make-shared", &folder]).map(drop)
}

/// One file system.
#[derive(Clone, Debug)]
pub(crate) struct Volume {
    image: PathBuf,
    /// Where the machine sees it.
    pub(crate) at: PathBuf,
}

impl Volume {
    /// That whose image is `folder/NAME.ext4`, at `folder/NAME`.
    pub(crate) fn of(folder: &Path, name: &str) -> Volume {
        Volume { image: folder.join(format!("{name}.ext4")), at: folder.join(name) }
    }

    /// True if it was made.
    pub(crate) fn exists(&self) -> bool {
        self.image.exists()
    }

    /// Makes and mounts it. To the last byte it is for everyone: root has nothing in reserve.
    pub(crate) fn make(&self, megabytes: u32) -> Result {
        fs::create_dir_all(&self.at)?;
        fs::File::create(&self.image)?.set_len(u64::from(megabytes) << 20)?;
        let image = self.image.display().to_string();
        // Nothing is written behind our back.
        let options = ["-E", "lazy_itable_init=0,lazy_journal_init=0,nodiscard", "-J", "size=16", "-N", "8192"];
        run("mkfs.ext4", &[&["-q", "-F", "-m", "0"], &options[..], &[&image]].concat())?;
        self.mount()
    }

    /// Mounts it: the journal is replayed.
    pub(crate) fn mount(&self) -> Result {
        let (image, at) = (self.image.display().to_string(), self.at.display().to_string());
        run("mount", &["-t", "ext4", "-o", "loop", &image, &at]).map(drop)
    }

    /// All of it is on the disk.
    pub(crate) fn sync(&self) -> Result {
        run("sync", &["--file-system", &self.at.display().to_string()]).map(drop)
    }

    /// From now on nothing reaches the disk any more.
    pub(crate) fn lose_power(&self) -> Result {
        run("xfs_io", &["-x", "-c", "shutdown", &self.at.display().to_string()]).map(drop)
    }

    /// Forgets everything but what is on the disk, and mounts that. No process of the host may be left.
    pub(crate) fn mount_again(&self) -> Result {
        let Some(device) = self.device() else { return self.mount() };
        run("umount", &[&self.at.display().to_string()])?;
        // While another mount namespace has it, it would be the same one, shut down, that is mounted again.
        let kernel = Path::new("/sys/fs/ext4").join(&device);
        let tell = || format!("another mount namespace has {device}");
        wait_until(&format!("{} is let go", self.at.display()), LET_GO, || !kernel.exists(), tell)?;
        self.mount()
    }

    /// Its loop device, while it is mounted.
    fn device(&self) -> Option<String> {
        let mounts = fs::read_to_string("/proc/self/mounts").ok()?;
        let mut found = mounts.lines().filter_map(|line| line.split_once(' '));
        let at = format!("{} ", self.at.display());
        found.find_map(|(device, rest)| rest.starts_with(&at).then(|| device.strip_prefix("/dev/"))?.map(str::to_owned))
    }

    /// Fills it to the last byte.
    pub(crate) fn fill(&self) -> Result {
        use std::io::Write as _;
        let mut ballast = fs::File::create(self.at.join(BALLAST))?;
        for size in [1_usize << 20, 4096, 1] {
            let block = vec![0; size];
            while ballast.write_all(&block).is_ok() {}
        }
        // Only what has its blocks is there.
        ballast.sync_all().map_err(|error| LabError::about(BALLAST, error))
    }

    /// Takes away what [`Volume::fill`] has put there.
    pub(crate) fn free(&self) -> Result {
        Ok(fs::remove_file(self.at.join(BALLAST))?)
    }
}

const BALLAST: &str = "ballast";
const LET_GO: Duration = Duration::from_secs(20);
