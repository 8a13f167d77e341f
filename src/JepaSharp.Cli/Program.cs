using JepaSharp.Cli;
using JepaSharp.Cli.Display;

using var stop = StopSignals.Register();
return CommandLine.Run(args, Terminal.OfProcess(), stop);
