using System.Text;

namespace Telemetry.Agent.Linux;

/// <summary>Directories below a root that may be somebody else's image: its links lead nowhere outside it, so none is followed.</summary>
internal static class RootedDirectory
{
    /// <param name="root">Followed, if it is a link: a person named it.</param>
    /// <param name="path">Relative, without dots.</param>
    /// <returns>0 or an errno: ENOENT, ENOTDIR, ELOOP (a link), EACCES …</returns>
    public static int Open(string root, string path, out int descriptor)
    {
        var errno = OpenFile.Root([.. Encoding.UTF8.GetBytes(root), 0], out descriptor);
        foreach (var component in path.Split('/'))
        {
            if (errno != 0)
                return errno;

            errno = OpenFile.Directory(descriptor, [.. Encoding.UTF8.GetBytes(component), 0], out var next);
            OpenFile.Close(descriptor);
            descriptor = next;
        }

        return errno;
    }
}
