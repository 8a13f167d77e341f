namespace JepaSharp.Data.Sources.Folders;

/// <summary>
/// Lists what lies below a folder. Links are followed, but each folder is entered once and each file is listed once, by the path without links where
/// it has one; hidden files and folders are counted and passed over, and so are folders that may not be listed.
/// </summary>
internal sealed class FolderWalk
{
    private readonly string _root;
    private readonly FolderContents _contents = new();
    private readonly Dictionary<FileIdentity, string> _entered = [];
    private readonly HashSet<FileIdentity> _above;
    private readonly List<FoundFile> _files = [];
    private readonly SortedSet<string> _links = new(StringComparer.Ordinal);
    private readonly Stack<string> _waiting = [];

    private FolderWalk(string root)
    {
        _root = root;
        _above = Above(root);
    }

    /// <summary>Walks through a folder.</summary>
    /// <exception cref="IOException">A folder cannot be listed.</exception>
    /// <exception cref="UnauthorizedAccessException">The folder itself may not be listed.</exception>
    public static FolderContents Of(string root)
    {
        var walk = new FolderWalk(root);
        walk.Enter("", root);
        walk.EnterAll();
        while (walk._links.Min is { } link)
        {
            walk._links.Remove(link);
            walk.Follow(link);
            walk.EnterAll();
        }

        walk._contents.Files = DistinctFiles.Of(root, walk._files, walk._contents.SecondFiles);
        return walk._contents;
    }

    private void EnterAll()
    {
        while (_waiting.TryPop(out var name))
        {
            try
            {
                Enter(name, Path.Combine(_root, name));
            }
            catch (UnauthorizedAccessException)
            {
                _contents.Unlistable.Add(name);
            }
        }
    }

    private void Enter(string name, string path)
    {
        if (FileStatus.Of(path) is { } status && !_entered.TryAdd(status.Identity, name))
        {
            _contents.SecondFolders.Add(new SecondName(name, _entered[status.Identity]));
            return;
        }

        var folders = new List<string>();
        foreach (var entry in FolderListing.Of(path))
        {
            var full = name.Length == 0 ? entry.Name : name + "/" + entry.Name;
            if (SystemNames.WhatIs(entry) is { } what) SetAside(what, full, entry.Kind);
            else if (entry.Kind == EntryKind.Folder) folders.Add(full);
            else if (entry.Kind == EntryKind.Link) _links.Add(full);
            else _files.Add(new FoundFile(full, entry.Inode));
        }

        if (name.Length == 0) _contents.TopFolders.AddRange(folders);
        for (var i = folders.Count - 1; i >= 0; i--) _waiting.Push(folders[i]);
    }

    private void Follow(string link)
    {
        var status = FileStatus.Of(Path.Combine(_root, link));
        if (status?.Kind != EntryKind.Folder)
        {
            _files.Add(new FoundFile(link, status?.Identity.Inode ?? 0, IsLink: true));
        }
        else if (_above.Contains(status.Identity))
        {
            _contents.LinksAbove.Add(link);
        }
        else
        {
            if (!link.Contains('/', StringComparison.Ordinal) && !_entered.ContainsKey(status.Identity)) _contents.TopFolders.Add(link);
            _waiting.Push(link);
        }
    }

    /// <summary>Counts the files of a folder that is not read. Links in it are files.</summary>
    private void SetAside(string what, string name, EntryKind kind)
    {
        if (kind != EntryKind.Folder)
        {
            _contents.SetAside.Add(what, name);
            return;
        }

        var waiting = new Stack<string>([name]);
        while (waiting.TryPop(out var folder))
        {
            try
            {
                foreach (var entry in FolderListing.Of(Path.Combine(_root, folder)))
                {
                    var full = folder + "/" + entry.Name;
                    if (entry.Kind == EntryKind.Folder) waiting.Push(full);
                    else _contents.SetAside.Add(what, full);
                }
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                _contents.Unlistable.Add(folder);
            }
        }
    }

    private static HashSet<FileIdentity> Above(string root)
    {
        var above = new HashSet<FileIdentity>();
        if (!LinuxFiles.AreHere)
        {
            for (var path = RealPaths.Of(root); (path = Path.GetDirectoryName(path)) is not null;)
                if (FileStatus.Of(path) is { } status) above.Add(status.Identity);
            return above;
        }

        // The kernel takes ".." for what is really above, wherever a link to the folder lies. Above the uppermost it is that again.
        for (var path = root + "/.."; FileStatus.Of(path) is { } status && above.Add(status.Identity); path += "/..")
        {
        }

        if (FileStatus.Of(root) is { } itself) above.Remove(itself.Identity);
        return above;
    }
}

/// <summary>A name for what has another name too.</summary>
/// <param name="Name">The name that is passed over.</param>
/// <param name="Same">The name that it is read by; empty for the folder that was given.</param>
internal readonly record struct SecondName(string Name, string Same);

/// <summary>All that lies below a folder: what may be read, and what was set aside and why.</summary>
/// <remarks>Names are relative, with '/' between their parts.</remarks>
internal sealed class FolderContents
{
    /// <summary>Files that may be images, in ordinal order; each once, whatever names it has.</summary>
    public List<string> Files { get; set; } = [];

    /// <summary>Folders directly below that are entered, in ordinal order.</summary>
    public List<string> TopFolders { get; } = [];

    /// <summary>Files passed over by their names: hidden ones, those of an operating system.</summary>
    public PassedOverFiles SetAside { get; } = new();

    /// <summary>Folders that may not be listed.</summary>
    public List<string> Unlistable { get; } = [];

    /// <summary>Ways to folders that are entered by another.</summary>
    public List<SecondName> SecondFolders { get; } = [];

    /// <summary>Names of files that are read under another.</summary>
    public List<SecondName> SecondFiles { get; } = [];

    /// <summary>Links to a folder that holds the one given.</summary>
    public List<string> LinksAbove { get; } = [];

    /// <summary>How many files there are, those passed over included.</summary>
    public int Found => Files.Count + SetAside.Count + SecondFiles.Count;
}
