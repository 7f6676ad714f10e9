'use strict';

const electron = require('electron');

electron.webUtils = { getPathForFile: (file) => file.path };
