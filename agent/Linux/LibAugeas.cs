using System.Runtime.InteropServices;

namespace Telemetry.Agent.Linux;

/// <summary>Calls of libaugeas as they are: augeas.h, 1.8 and later. Loaded when first called, and only by the helper that parses.</summary>
internal static unsafe partial class LibAugeas
{
    private const string Library = "libaugeas.so.0";

    /// <summary>AUG_NO_LOAD | AUG_NO_MODL_AUTOLOAD: no file is read, and no lens but those that are named.</summary>
    internal const uint LoadNothing = 1 << 5 | 1 << 6;

    /// <summary>aug_init. Null: out of memory, or no directory of lenses.</summary>
    [LibraryImport(Library, EntryPoint = "aug_init")]
    internal static partial nint Init(byte* root, byte* loadPath, uint flags);

    /// <summary>AUG_ENOLENS.</summary>
    internal const int NoLens = 7;

    /// <summary>aug_error: of the call before.</summary>
    [LibraryImport(Library, EntryPoint = "aug_error")]
    internal static partial int Error(nint handle);

    /// <summary>aug_close.</summary>
    [LibraryImport(Library, EntryPoint = "aug_close")]
    internal static partial void Close(nint handle);

    /// <summary>aug_set. Negative: failed.</summary>
    [LibraryImport(Library, EntryPoint = "aug_set")]
    internal static partial int Set(nint handle, byte* path, byte* value);

    /// <summary>aug_get. 1: there is one such node; the value may still be null, and belongs to the library.</summary>
    [LibraryImport(Library, EntryPoint = "aug_get")]
    internal static partial int Get(nint handle, byte* path, byte** value);

    /// <summary>aug_rm. The number of nodes removed.</summary>
    [LibraryImport(Library, EntryPoint = "aug_rm")]
    internal static partial int Remove(nint handle, byte* path);

    /// <summary>aug_text_store: parses the value of one node into a tree. Negative: failed, and /augeas/text says why.</summary>
    [LibraryImport(Library, EntryPoint = "aug_text_store")]
    internal static partial int TextStore(nint handle, byte* lens, byte* node, byte* path);

    /// <summary>aug_defvar: the number of nodes, or negative.</summary>
    [LibraryImport(Library, EntryPoint = "aug_defvar")]
    internal static partial int DefineVariable(nint handle, byte* name, byte* expression);

    /// <summary>aug_ns_attr: of a node by its index in a variable. Texts belong to the library. Negative: failed.</summary>
    [LibraryImport(Library, EntryPoint = "aug_ns_attr")]
    internal static partial int NodeAttributes(nint handle, byte* variable, int index, byte** value, byte** label, byte** file);

    /// <summary>aug_ns_path: the text is the caller's to free. Negative: failed.</summary>
    [LibraryImport(Library, EntryPoint = "aug_ns_path")]
    internal static partial int NodePath(nint handle, byte* variable, int index, byte** path);
}
