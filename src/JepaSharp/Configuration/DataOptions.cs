using JepaSharp.Data.Cropping;
using JepaSharp.Data.Loading;
using JepaSharp.Data.Sources;
using JepaSharp.Data.Sources.Scenes;
using JepaSharp.Runtime;

namespace JepaSharp.Configuration;

/// <summary>Images: where they come from, how they are cropped and how they are loaded. YAML section <c>data</c>.</summary>
public sealed record DataOptions
{
    /// <summary>Any image source; wins over <see cref="RootPath"/> with <see cref="ImageFolder"/>. Null. Ours.</summary>
    /// <remarks>When this and both of those are null, the built-in rendered scenes are used.</remarks>
    public string? Path { get; init; }

    /// <summary>Folder that holds data sets; joined with <see cref="ImageFolder"/>. Null.</summary>
    public string? RootPath { get; init; }

    /// <summary>Data set below <see cref="RootPath"/>. Null. The published code reads its <c>train/</c>.</summary>
    public string? ImageFolder { get; init; }

    /// <summary>Labelled held-out images for the measures taken while training; null for none. Ours.</summary>
    public string? TestPath { get; init; }

    /// <summary>Use no more than this many images of the source; null for all. Ours.</summary>
    public int? MaxImages { get; init; }

    /// <summary>Images per step and process, B. 128: 16 processes of the published run make the paper's 2048.</summary>
    public int BatchSize { get; init; } = 128;

    /// <summary>Side of the square crop, in pixels, a multiple of <see cref="MaskOptions.PatchSize"/>. 224 (paper, appendix A.1).</summary>
    public int CropSize { get; init; } = 224;

    /// <summary>Share of the image's area that a random crop covers. [0.3, 1.0] (published files).</summary>
    public Interval CropScale { get; init; } = new(0.3, 1.0);

    /// <summary>Width over height of a random crop, before it is resized to a square. [3/4, 4/3] (torchvision's default). Ours.</summary>
    public Interval CropAspect { get; init; } = new(0.75, 4.0 / 3.0);

    /// <summary>How crops are resized. Bilinear (torchvision's default, which the published code leaves). Ours.</summary>
    public ResampleFilter Interpolation { get; init; } = ResampleFilter.Bilinear;

    /// <summary>Mirror half of the crops left to right. False: the paper needs no augmentation but the crop.</summary>
    public bool UseHorizontalFlip { get; init; }

    /// <summary>Change brightness, contrast, saturation and hue at random, with <see cref="ColorJitterStrength"/>. False.</summary>
    public bool UseColorDistortion { get; init; }

    /// <summary>Strength of the colour distortion, 0 or more. 0.</summary>
    public double ColorJitterStrength { get; init; }

    /// <summary>Blur at random. False.</summary>
    public bool UseGaussianBlur { get; init; }

    /// <summary>Mean of each channel that is subtracted, of values in [0, 1]. ImageNet's. Ours (a constant of the published code).</summary>
    public ChannelTriple Mean { get; init; } = new(0.485, 0.456, 0.406);

    /// <summary>Deviation that each channel is divided by, of values in [0, 1]. ImageNet's. Ours (a constant of the published code).</summary>
    public ChannelTriple Std { get; init; } = new(0.229, 0.224, 0.225);

    /// <summary>Loader threads; 0 or more, null to choose from the machine's cores. Null. Published files: 10.</summary>
    public int? NumWorkers { get; init; }

    /// <summary>Batches prepared ahead of the step. 4. Ours.</summary>
    public int Prefetch { get; init; } = 4;

    /// <summary>Most memory that the loader holds, in MB: batches ahead and images being decoded. 2048. Ours.</summary>
    public int MemoryMb { get; init; } = 2048;

    /// <summary>Accepted for the published files' sake; how batches reach the device is not a setting. True.</summary>
    public bool PinMem { get; init; } = true;

    /// <summary>An image that cannot be read is skipped and counted, or ends the run. Skip. Ours.</summary>
    public UnreadablePolicy OnError { get; init; } = UnreadablePolicy.Skip;

    /// <summary>With skip, the share of images that may be unreadable, 0 to 1, before the run ends; four are always tolerated. 0.01. Ours.</summary>
    public double MaxUnreadable { get; init; } = 0.01;

    /// <summary>How many built-in scenes there are. 8000. Ours.</summary>
    public int SceneCount { get; init; } = 8000;

    /// <summary>Height of a built-in scene in pixels; it is half as wide again, as CLEVR's are. 64. Ours.</summary>
    public int SceneSize { get; init; } = 64;

    /// <summary>Which built-in scenes: another seed, other scenes. 0. Ours.</summary>
    public int SceneSeed { get; init; }

    /// <summary>
    /// The image source: <see cref="Path"/>, else <see cref="RootPath"/> and <see cref="ImageFolder"/> joined, else null for the built-in scenes.
    /// </summary>
    public string? ResolveSource() => (Path, RootPath, ImageFolder) switch
    {
        ({ } path, _, _) => path,
        (_, { } root, { } folder) => System.IO.Path.Combine(root, folder),
        var (_, root, folder) => root ?? folder,
    };

    /// <summary>The images to train on; the built-in scenes where none are named.</summary>
    /// <exception cref="JepaException">The path is missing or holds no images.</exception>
    public ImageSource OpenSource()
    {
        ImageSource source = ResolveSource() is { } path
            ? ImageSources.Open(path)
            : new ScenesSource((ulong)SceneSeed, SceneCount, SceneSize * 3 / 2, SceneSize, first: 0);
        return MaxImages is { } most && most < source.Count ? new SourceSubset(source, most) : source;
    }
}
