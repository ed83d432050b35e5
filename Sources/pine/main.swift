import PineCLI

await PineCLI.main()
