using JepaSharp.Configuration;
using JepaSharp.Data.Sources.Scenes;
using JepaSharp.Runtime;

namespace JepaSharp.Data.Sources;

/// <summary>Opens whatever a path or a configuration names.</summary>
public static class ImageSources
{
    /// <summary>The images that a configuration trains on; the built-in scenes where it names none.</summary>
    /// <exception cref="JepaException">The path is missing or holds no images.</exception>
    public static ImageSource Open(DataOptions data)
    {
        ImageSource source = data.ResolveSource() is { } path
            ? Open(path)
            : new ScenesSource((ulong)data.SceneSeed, data.SceneCount, data.SceneSize * 3 / 2, data.SceneSize, first: 0);
        return data.MaxImages is { } most && most < source.Count ? new SourceSubset(source, most) : source;
    }

    /// <summary>A folder of images.</summary>
    /// <exception cref="JepaException">The path is missing or holds no images.</exception>
    public static ImageSource Open(string path) => new ImageFolder(path);
}
